"""The last stage of the UNet: a critic makes the predictions of few-step sampling as sharp as the renderers' pictures.

Why: where a mark lies is free, so squared error asks for the mean of all that would be right: colours without marks. It
therefore teaches what the picture decides, which is what is left when neighbouring cells are averaged, and a critic
that sees latents, frame and sentence asks for marks. It is the relativistic pairing loss with penalties on its slope
(Huang et al., *The GAN is dead; long live the GAN!*, 2024), the slope taken by a finite difference (Lin et al.,
*Diffusion Adversarial Post-Training*, 2025).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn

from ..devices import autocast
from ..optimization import predict_clean
from .unet import Draw, build_scheduler

TIMESTEPS = (999, 749, 499, 249)
"""Those of four steps, among them those of two and of one."""
SHARES = (0.7, 0.05, 0.2, 0.05)
"""Of the samples, at each: most where sampling starts, and one step is the default."""
FINE_SHARE = 0.1
"""Weight of squared error cell by cell; the rest is of means of POOL x POOL cells."""
POOL = 4
PENALTY_SHARE = 0.25
"""Of the steps that pay the penalty on the critic's slope, so many times as much (Karras et al., 2020)."""


class Critic(nn.Module):
    """Judges latents by their patches of some 40, 100 and 200 pixels.

    It is given the frame, the sentence, and how noisy the picture was. Without the largest patches no pane or facet of
    30 pixels was ever drawn. Without the noise level one demand would have to fit predictions from much noise, which
    lack marks, and predictions from little noise, which have them.
    """

    def __init__(self, latent_channels: int, text_width: int, widths: tuple[int, ...] = (96, 160, 224)) -> None:
        super().__init__()
        self.levels = nn.ModuleList()
        before = 2 * latent_channels
        for k, width in enumerate(widths):
            # Mirrored edges: beside zeros, patches at an edge ask for other colours, and pictures get a pale frame.
            first = nn.Conv2d(before, width, *((4, 2, 1) if k else (3, 1, 1)), padding_mode="reflect")
            second = nn.Conv2d(width, width, 3, 1, 1, padding_mode="reflect")
            self.levels.append(nn.Sequential(first, nn.LeakyReLU(0.2), second, nn.LeakyReLU(0.2)))
            before = width
        self.heads = nn.ModuleList(nn.Conv2d(width, 1, 1) for width in widths)
        self.conditions = nn.ModuleList(nn.Linear(text_width + 1, width) for width in widths)
        for layer in self.levels.modules():
            if isinstance(layer, nn.Conv2d):
                # PyTorch's own start shrinks the signal at every layer, and a flat critic learns slowly.
                nn.init.kaiming_normal_(layer.weight, a=0.2)

    def forward(self, latents: Tensor, frame: Tensor, text: Tensor, alpha_cumprod: Tensor) -> Tensor:
        """Scores (B, levels, h, w); higher is more like a renderer's. A large patch's score stands at all its cells.

        Of latents and frame (B, C, h, w), text (B, tokens, width) and ᾱ_t (B, 1, 1, 1).
        """
        features = torch.cat([latents, frame], dim=1)
        evidence = torch.cat([text.mean(dim=1), alpha_cumprod.sqrt().view(-1, 1).to(text)], dim=1)
        scores = []
        for level, head, condition in zip(self.levels, self.heads, self.conditions, strict=True):
            features = level(features)
            # A projection critic (Miyato and Koyama, 2018).
            fit = (features * condition(evidence)[..., None, None]).sum(dim=1) / features.shape[1] ** 0.5
            score = head(features) + fit[:, None]
            # So large patches, which are few, weigh as much in a mean as small ones.
            scores.append(F.interpolate(score, size=latents.shape[-2:], mode="nearest"))
        return torch.cat(scores, dim=1)


def decided_error(predicted: Tensor, target: Tensor, fine_share: float = FINE_SHARE) -> Tensor:
    """Squared error of means over POOL x POOL cells, which the picture decides, and some of it cell by cell."""
    difference = predicted - target
    coarse = F.avg_pool2d(difference, POOL).square().mean() * POOL
    return (1 - fine_share) * coarse + fine_share * difference.square().mean()


def adversarial_loss(
    unet: UNet2DConditionModel,
    critic: Critic,
    draw: Draw,
    adversarial_weight: float = 1.0,
    gradient_penalty: float = 0.5,
    perturbation_std: float = 0.05,
    drift: float = 1e-3,
) -> Callable[[np.random.Generator], dict[str, Tensor]]:
    """The UNet's two terms and the critic's; each reaches its own weights only.

    Args:
        adversarial_weight: of the UNet's wish to be taken for a renderer. Its pull grows with the critic's slope, so a
            critic that knows nothing yet hardly pulls.
        gradient_penalty: weight of the critic's squared slope, at the renderers' latents and at the UNet's.
        perturbation_std: deviation of the noise by which the slope is measured.
        drift: weight of the squared scores. Only their differences matter to the losses, so nothing else holds them
            near 0, and far from it the slope drowns in rounding.
    """
    unet.set_attn_processor(AttnProcessor())
    scheduler = build_scheduler()
    device = next(unet.parameters()).device
    choices = torch.tensor(TIMESTEPS, device=device)

    def loss(rng: np.random.Generator) -> dict[str, Tensor]:
        clean, noise, frame, text = (part.to(device) for part in draw(rng)[:4])
        timesteps = choices[torch.from_numpy(rng.choice(len(TIMESTEPS), len(clean), p=SHARES)).to(device)]
        noisy = scheduler.add_noise(clean, noise, timesteps)
        inputs = torch.cat([noisy, frame], dim=1).to(unet.dtype)
        velocity = unet(inputs, timesteps, text.to(unet.dtype)).sample.float()
        alpha_cumprod = scheduler.alphas_cumprod.to(device)[timesteps].view(-1, 1, 1, 1)
        predicted = predict_clean(velocity, noisy, alpha_cumprod, "v_prediction")

        def score(latents: Tensor) -> Tensor:
            return critic(latents, frame, text.float(), alpha_cumprod)

        penalty = gradient_penalty / PENALTY_SHARE if rng.random() < PENALTY_SHARE else 0.0
        judged, real = critic_loss(score, clean, predicted.detach(), penalty, perturbation_std, drift)
        # The UNet's term must not teach the critic to be persuaded.
        critic.requires_grad_(False)
        with autocast(device):
            generator_loss = F.softplus(real - score(predicted).float()).mean()
        critic.requires_grad_(True)
        squared = decided_error(velocity, scheduler.get_velocity(clean, noise, timesteps))
        return {"squared": squared, "adversarial": adversarial_weight * generator_loss, "critic": judged}

    return loss


def critic_loss(
    score: Callable[[Tensor], Tensor],
    real: Tensor,
    made: Tensor,
    gradient_penalty: float,
    perturbation_std: float,
    drift: float,
) -> tuple[Tensor, Tensor]:
    """The critic's own loss, and its score of the renderers' latents as a constant.

    It tells the renderers' latents from the UNet's (relativistic), with a gentle slope at both (R1 and R2).
    """
    scores = [score(latents) for latents in (real, made)]
    value = F.softplus(scores[1] - scores[0]).mean() + drift * torch.cat(scores).square().mean()
    if gradient_penalty:
        for latents, known in zip((real, made), scores, strict=True):
            moved = score(latents + perturbation_std * torch.randn_like(latents))
            value = value + gradient_penalty * ((moved - known) / perturbation_std).square().mean()
    return value, scores[0].detach()
