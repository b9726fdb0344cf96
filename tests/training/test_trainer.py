from chatdesk.training.trainer import rate


def test_the_learning_rate_rises_and_falls() -> None:
    rates = [rate(step, 100, 0.1) for step in range(100)]
    assert rates[0] == 0.1
    assert max(rates) == rates[9] == 1
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert 0 < rates[-1] < 0.001
    assert abs(rates[55] - 0.5) < 0.01


def test_few_steps_have_a_rate_too() -> None:
    assert rate(0, 1, 0.1) == 1
    assert rate(0, 2, 1.0) == 0.5
    assert all(rate(step, 3, 0.0) > 0 for step in range(3))
