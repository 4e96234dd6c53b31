"""The history of generated images behaves as section 4 of the paper says."""

import torch

from cyclegan.models.pool import ImagePool


def numbered(first: int, count: int = 1) -> torch.Tensor:
    return torch.arange(first, first + count, dtype=torch.float32).view(-1, 1, 1, 1)


def test_passes_through_until_full_then_exchanges_half_the_time():
    pool = ImagePool(capacity=10, seed=3)
    assert torch.equal(pool.query(numbered(0, 10)).flatten(), torch.arange(10.0))
    given_back = [pool.query(numbered(n)).item() for n in range(10, 410)]
    old = sum(value < n for n, value in enumerate(given_back, start=10))
    assert 160 < old < 240  # 400 fair coins: 200 ± 4 standard deviations
    assert len(set(given_back)) == len(given_back)  # an image leaves the pool when it is shown again


def test_capacity_zero_gives_back_what_comes_without_its_graph():
    image = numbered(1).requires_grad_()
    out = ImagePool(0).query(image * 2)
    assert out.item() == 2 and not out.requires_grad


def test_what_is_kept_does_not_change_with_the_tensor_it_came_from():
    pool = ImagePool(capacity=1)
    image = numbered(5)
    pool.query(image)
    image.fill_(9)
    assert pool.images[0].item() == 5


def test_a_restored_pool_draws_as_the_first_one_would():
    pool, other = ImagePool(4, seed=1), ImagePool(4, seed=2)
    for n in range(8):
        pool.query(numbered(n))
    other.load_state_dict(pool.state_dict())
    for n in range(8, 40):
        assert torch.equal(pool.query(numbered(n)), other.query(numbered(n)))
