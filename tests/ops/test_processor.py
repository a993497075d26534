"""What Linux reports about the processor."""

from imgcls.ops import processor

TWO_CORES = """\
processor\t: 0
model name\t: Example 9000 @ 2: GHz
flags\t\t: fpu sse2 avx2

processor\t: 1
model name\t: Another
flags\t\t: fpu
"""


def test_the_first_core_is_told(tmp_path):
    """
    All cores are alike, and some machines list hundreds.
    """
    file = tmp_path / "cpuinfo"
    file.write_text(TWO_CORES)

    assert "Example 9000 @ 2: GHz" == processor.fields(file)["model name"]
    assert {"fpu", "sse2", "avx2"} == processor.flags(file)


def test_other_systems_have_no_such_file(tmp_path):
    """
    Without the file, nothing is known, and nothing must be assumed.
    """
    assert {} == processor.fields(tmp_path / "cpuinfo")
    assert set() == processor.flags(tmp_path / "cpuinfo")
