"""Published reports in the records store: sealed to their recipients, named by the chain.

    reports/<date>/<32 hex digits>.csv.esdk     a report; the digits are random
    reports/<date>/<32 hex digits>.salt.esdk    the salt of its commitment
    summaries/<date>/<32 hex digits>.json.esdk  a summary
    archive/<date>/<32 hex digits>.tar.esdk     working data after its window

An object counts only if an entry of the chain names it with its size and digest; what a crash leaves
behind is named by none. The chain, the envelope and the working data are handed in as ports.
"""

from esg_assets.adapters.publications.archived import members
from esg_assets.adapters.publications.archiving import WorkingWindow
from esg_assets.adapters.publications.drafting import KeptSalts
from esg_assets.adapters.publications.expiry import Expiry
from esg_assets.adapters.publications.reading import PublishedReports
from esg_assets.adapters.publications.rereading import TwiceRead
from esg_assets.adapters.publications.resealing import Resealing
from esg_assets.adapters.publications.writing import Publications

__all__ = [
    "Expiry",
    "KeptSalts",
    "Publications",
    "PublishedReports",
    "Resealing",
    "TwiceRead",
    "WorkingWindow",
    "members",
]
