"""What pictures cost, added up."""

from adapter.domain.usage import Usage


def test_a_sum_adds_each_kind_to_its_own() -> None:
    """And leaves the summands as they were."""
    one = Usage(input_text=10, input_image=200, output_text=3, output_image=1000)
    both = one + Usage(input_text=1, input_image=20, output_text=300, output_image=4000)

    assert both == Usage(input_text=11, input_image=220, output_text=303, output_image=5000)
    assert one == Usage(input_text=10, input_image=200, output_text=3, output_image=1000)


def test_what_went_in_and_what_came_out_make_up_the_total() -> None:
    """Nothing is counted twice."""
    usage = Usage(input_text=1, input_image=20, output_text=300, output_image=4000)

    assert (usage.input, usage.output, usage.total) == (21, 4300, 4321)
    assert Usage().total == 0
