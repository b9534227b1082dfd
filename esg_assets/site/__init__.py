"""The readers' pages: templates, charts and the files of a static site.

Everything on them is decided in `esg_assets.core` (`page_figures`, `trend_figures`); here it is only shown.
Pages need no JavaScript and ask nothing of any server: charts are SVG in the page, with a table behind each.
"""
