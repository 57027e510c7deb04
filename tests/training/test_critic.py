"""The critic's stage: its two losses against NumPy, each reaching its own weights only."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from style_a_video.training import critic as module
from style_a_video.training.critic import POOL, TIMESTEPS, Critic, adversarial_loss, decided_error
from style_a_video.training.unet import Batch, build_scheduler
from tests.conftest import tiny_unet


def batch(rng: np.random.Generator) -> Batch:
    pictures = torch.from_numpy(rng.standard_normal((3, 2, 4, 8, 8)).astype(np.float32))
    text = torch.from_numpy(rng.standard_normal((2, 5, 16)).astype(np.float32))
    return Batch(*pictures, text, ((0, 1), (2, 3)))


@pytest.fixture(autouse=True)
def _float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests compare with NumPy, so nothing is rounded to bfloat16."""
    monkeypatch.setattr(module, "autocast", lambda _: nullcontext())


def parts() -> tuple[Any, Critic]:
    torch.manual_seed(1)
    return tiny_unet(8), Critic(4, 16, widths=(8, 12, 16))


def softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, x)


def error_of(difference: np.ndarray) -> float:
    """A quarter of the mean square, and three quarters of POOL times that of the means of POOL x POOL cells."""
    count, channels, height, width = difference.shape
    blocks = difference.reshape(count, channels, height // POOL, POOL, width // POOL, POOL).mean((3, 5))
    return float(0.1 * np.square(difference).mean() + 0.9 * POOL * np.square(blocks).mean())


def test_squared_error_asks_for_what_the_picture_decides() -> None:
    a, b = np.random.default_rng(0).standard_normal((2, 2, 4, 8, 8))
    value = decided_error(torch.from_numpy(a), torch.from_numpy(b))
    assert float(value) == pytest.approx(error_of(a - b))
    # Marks that lie elsewhere cost less than another colour does, at the same square.
    marks = np.where(np.indices((8, 8)).sum(0) % 2, 1.0, -1.0)[None, None]
    assert error_of(marks) < 0.3 * error_of(np.ones_like(marks))


def test_the_value_is_the_squared_error_plus_both_relativistic_losses(monkeypatch: pytest.MonkeyPatch) -> None:
    unet, critic = parts()
    monkeypatch.setattr(module, "SHARES", (1.0, 0.0, 0.0, 0.0))  # all at terminal SNR zero, where x̂_0 = −v
    loss = adversarial_loss(unet, critic, batch, adversarial_weight=0.3, gradient_penalty=0.0, drift=0.1)
    terms = loss(np.random.default_rng(4))
    clean, noise, frame, text, _ = batch(np.random.default_rng(4))
    with torch.no_grad():
        velocity = unet(torch.cat([noise, frame], 1), torch.full((2,), TIMESTEPS[0]), text).sample
        real, made = (
            critic(latents, frame, text, torch.zeros(2, 1, 1, 1)).numpy().astype(np.float64)
            for latents in (clean, -velocity)
        )
    squared = error_of((velocity + clean).numpy().astype(np.float64))
    judged = softplus(made - real).mean() + 0.1 * (np.square(real).mean() + np.square(made).mean()) / 2
    expected = {"squared": squared, "adversarial": 0.3 * softplus(real - made).mean(), "critic": judged}
    assert {name: float(term.detach()) for name, term in terms.items()} == pytest.approx(expected, rel=1e-4)


def test_each_loss_reaches_its_own_weights() -> None:
    unet, critic = parts()
    loss = adversarial_loss(unet, critic, batch, adversarial_weight=0.0)
    sum(loss(np.random.default_rng(0)).values()).backward()
    assert all(parameter.grad is not None for parameter in critic.parameters())
    # Without the critic's pull the UNet's gradient is the squared error's: a finite difference along it agrees.
    weight = unet.conv_out.bias
    scheduler, rng = build_scheduler(), np.random.default_rng(0)
    clean, noise, frame, text, _ = batch(rng)
    steps = torch.tensor(TIMESTEPS)[torch.from_numpy(rng.choice(4, 2, p=module.SHARES))]

    def squared_error(shift: float) -> float:
        with torch.no_grad():
            weight[0] += shift
            inputs = torch.cat([scheduler.add_noise(clean, noise, steps), frame], 1)
            value = decided_error(unet(inputs, steps, text).sample, scheduler.get_velocity(clean, noise, steps))
            weight[0] -= shift
        return float(value)

    slope = (squared_error(0.01) - squared_error(-0.01)) / 0.02
    assert float(weight.grad[0]) == pytest.approx(slope, rel=1e-2)


def test_the_unets_wish_to_persuade_moves_the_unet_and_not_the_critic() -> None:
    unet, critic = parts()
    gradients, taught = [], []
    for weight in (0.0, 1.0):
        unet.zero_grad()
        critic.zero_grad()
        loss = adversarial_loss(unet, critic, batch, adversarial_weight=weight, gradient_penalty=0.0)
        sum(loss(np.random.default_rng(0)).values()).backward()
        gradients.append(torch.cat([parameter.grad.flatten() for parameter in unet.conv_out.parameters()]))
        taught.append(critic.heads[0].weight.grad.clone())
    assert float((gradients[1] - gradients[0]).norm()) > 1e-4
    torch.testing.assert_close(taught[0], taught[1])


def test_a_critic_learns_to_tell_real_from_made() -> None:
    torch.manual_seed(0)
    critic = Critic(4, 16, widths=(8, 12, 16))
    optimizer = torch.optim.AdamW(critic.parameters(), lr=3e-3)
    frame, text = torch.zeros(8, 4, 8, 8), torch.zeros(8, 5, 16)

    def judged() -> tuple[torch.Tensor, torch.Tensor]:
        real, made = torch.randn(8, 4, 8, 8), torch.zeros(8, 4, 8, 8)  # marks against their mean
        return module.critic_loss(
            lambda latents: critic(latents, frame, text, torch.zeros(8, 1, 1, 1)), real, made, 0.1, 0.05, 1e-3
        )

    def lead() -> float:
        """By how much real ones are scored above made ones."""
        with torch.no_grad():
            real, made = torch.randn(8, 4, 8, 8), torch.zeros(8, 4, 8, 8)
            scores = [critic(latents, frame, text, torch.zeros(8, 1, 1, 1)).mean() for latents in (real, made)]
        return float(scores[0] - scores[1])

    assert lead() < 0.5
    for _ in range(60):
        optimizer.zero_grad()
        judged()[0].backward()
        optimizer.step()
    assert lead() > 1.0


@pytest.mark.parametrize("perturbation_std", [0.01, 0.3])
def test_the_penalty_is_the_squared_slope_at_both(perturbation_std: float) -> None:
    """Of a linear score w·x it is 2‖w‖², however large the step of the finite difference."""
    torch.manual_seed(0)
    slope = torch.linspace(-1, 1, 12)
    real, made = torch.randn(2, 40_000, 12)
    with_penalty, without = (
        module.critic_loss(lambda x: (x @ slope)[:, None], real, made, penalty, perturbation_std, 0.0)[0]
        for penalty in (1.0, 0.0)
    )
    assert float(with_penalty - without) == pytest.approx(2 * float(slope.square().sum()), rel=0.03)


def test_it_is_sharpened_where_four_steps_are_taken() -> None:
    scheduler = build_scheduler()
    scheduler.set_timesteps(4)
    assert tuple(scheduler.timesteps.tolist()) == TIMESTEPS
