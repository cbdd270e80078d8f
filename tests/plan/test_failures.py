"""A job that was killed is told from one that said why it failed."""

from fading.plan.failures import killed

LOG = """
[Thu Nov 26 12:59:32 2026]
Error in rule memory:
    message: None
    jobid: 0
    output: x
    log: {0}/killed.log (check log file(s) for error details)
Error in rule scores:
    message: None
    log: {0}/said.log (check log file(s) for error details)
Error in rule memory:
    message: None
    log: {0}/killed.log (check log file(s) for error details)
Error in rule training:
    message: None
    log: {0}/none.log (check log file(s) for error details)
"""


def test_a_job_without_a_word_was_killed(tmp_path):
    (tmp_path / "killed.log").touch()
    (tmp_path / "said.log").write_text("bert-reviews: found 3; accepted is 2.\n")
    (tmp_path / "log").write_text(LOG.format(tmp_path))
    (sentence,) = killed(tmp_path / "log", "4 GiB")
    assert sentence.startswith("A job of memory ended without a word: it was killed, or could not start.")
    assert "its budget, now 4 GiB" in sentence
