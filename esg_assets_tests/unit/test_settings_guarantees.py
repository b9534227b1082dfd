"""Every sentence that the settings promise of ESG_ENV, `.env` and secrets, and the tests that hold it.

A sentence without a test, or a test that is not there any more, fails here.
"""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent

GUARDS = "unit/test_settings_guards.py"
DOTENV = "unit/test_settings_dotenv.py"
CONFIG = "pipeline/test_run_config_attacks.py"
SECRET_FILES = "unit/test_settings_secret_files.py"
MANAGER = "unit/test_settings_secrets_manager.py"
MASKING = "unit/test_masking_properties.py"
TRANSPORT = "unit/test_settings_prod_transport.py"
TLS = "adapters/test_tls_everywhere.py"

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "Environment variables come first.": (f"{DOTENV}::test_gives_what_the_environment_does_not",),
    "A .env is not read in prod.": (
        f"{DOTENV}::test_is_not_read_in_prod",
        f"{DOTENV}::test_that_dagster_loaded_into_the_environment_is_refused_in_prod",
        f"{DOTENV}::test_is_not_read_when_the_environment_is_no_word_we_know",
        f"{DOTENV}::test_cannot_make_this_prod",
    ),
    "A .env is never read for verify and decrypt.": (f"{DOTENV}::test_is_never_read_for_verify_and_decrypt",),
    "A .env must be ours.": (
        f"{DOTENV}::test_of_somebody_else_is_refused",
        f"{DOTENV}::test_that_is_a_link_is_refused",
        f"{DOTENV}::test_that_is_a_pipe_or_a_folder_is_refused_without_waiting",
    ),
    "A .env must not be writable by others.": (f"{DOTENV}::test_that_others_can_write_is_refused",),
    "Nothing that reaches an outside system or a secret can be set through run config.": (
        f"{CONFIG}::test_no_resource_and_no_io_manager_takes_any_config",
        f"{CONFIG}::test_no_resource_can_be_added",
        f"{CONFIG}::test_no_switch_reads_the_environment",
        f"{CONFIG}::test_other_config_is_refused_too",
    ),
    "X_FILE may stand for a secret X.": (
        f"{SECRET_FILES}::test_a_secret_as_kubernetes_mounts_it_is_read",
        f"{SECRET_FILES}::test_a_file_that_others_can_read_or_write_is_refused",
        f"{SECRET_FILES}::test_a_folder_that_all_can_write_to_is_refused",
        f"{SECRET_FILES}::test_a_setting_and_its_file_at_once_are_refused",
    ),
    "aws-secretsmanager://NAME#FIELD may stand for a secret X.": (
        f"{MANAGER}::test_secrets_are_taken_from_secrets_manager_each_once",
        f"{MANAGER}::test_a_secret_that_cannot_be_had_is_told_by_its_name",
        f"{MANAGER}::test_a_call_that_is_denied_is_told_without_its_text",
        f"{MANAGER}::test_what_is_no_secret_cannot_stand_in_secrets_manager",
    ),
    "Secrets are masked wherever they are shown; a URL keeps scheme, host and path.": (
        f"{MASKING}::test_no_secret_of_a_url_survives_masking",
        f"{MASKING}::test_no_secret_setting_shows_it_whether_it_is_accepted_or_refused",
        f"{MASKING}::test_scheme_host_and_path_stay",
        f"{MASKING}::test_nothing_but_the_mask_is_shown_of_an_apprise_url",
    ),
    "A wrong or missing setting stops the command before any call, in one message.": (
        "unit/test_settings.py::test_several_faults_are_listed_in_one_message",
        "unit/test_settings.py::test_a_wrong_value_is_refused_by_name_and_with_what_is_wanted",
        "unit/test_settings_needs.py::test_a_run_names_everything_it_misses_at_once",
    ),
    "Dagster still loads; only the run fails.": (
        "unit/test_settings.py::test_a_tolerant_load_keeps_the_faults_until_something_wants_to_run",
        f"{GUARDS}::test_a_tolerant_load_does_not_run_what_prod_refuses",
    ),
    "ESG_ENV must be given for an API not on loopback, a remote store, and a key that is no demo key.": (
        f"{GUARDS}::test_for_a_remote_system_or_a_real_key",
        f"{GUARDS}::test_not_on_loopback_with_demo_keys",
        f"{GUARDS}::test_verify_and_decrypt_are_guarded_too",
        f"{GUARDS}::test_a_word_that_is_no_environment_is_not_taken_for_dev",
    ),
    "A demo key says so in its file name, and lives in ./.demo.": (
        f"{GUARDS}::test_not_on_loopback_with_demo_keys",
        f"{GUARDS}::test_a_demo_key_behind_a_link_is_refused",
    ),
    "prod refuses demo keys, plain http and SMTP, and ESG_API_AUTH=none.": (
        f"{GUARDS}::test_is_refused",
        f"{TRANSPORT}::test_mail_goes_by_tls_in_prod",
        f"{TRANSPORT}::test_a_clouds_endpoint_is_https_in_prod",
        f"{TLS}::test_kms_of_prod_is_not_asked_over_plain_http_on_loopback_either",
    ),
    "prod wants PostgreSQL by verified TLS.": (
        f"{TRANSPORT}::test_postgresql_by_anything_less_is_refused_in_prod_alone",
        "adapters/test_postgresql_tls.py::test_a_server_that_cannot_be_trusted_is_not_signed_in_to",
    ),
    "prod refuses a private key of a recipient in any folder that a key setting names.": (
        f"{GUARDS}::test_a_private_key_of_a_recipient_beside_any_key_is_refused",
        f"{GUARDS}::test_a_tls_client_key_beside_the_keys_is_no_recipients",
    ),
    "prod refuses fewer than two recipients, and ESG_VERIFY_KEYS left at its default.": (
        f"{GUARDS}::test_is_refused",
        f"{GUARDS}::test_one_recipient_under_two_names_counts_once",
    ),
    "Plain http is for loopback only.": (
        f"{TLS}::test_plain_http_is_refused_but_for_loopback_written_in_full",
        f"{TLS}::test_a_redirect_to_plain_http_is_not_followed",
    ),
    "The system's proxy variables are not read.": (f"{TLS}::test_no_proxy_of_the_environment_is_asked",),
}


@pytest.mark.parametrize("sentence", SENTENCES)
def test_each_sentence_is_held_by_tests_that_exist(sentence: str) -> None:
    assert SENTENCES[sentence]
    for name in SENTENCES[sentence]:
        file, _, function = name.partition("::")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert function in defined, name
