"""The U-Net and the feature loss written in torch, with the parameter names of ours."""

import torch
import torch.nn.functional as F
from models.torchvision_twins import BasicBlock
from models.twins import Residual, conv_layer
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm


def convolution(ni, nf, ks, stride=1, norm=None, leaky=None, active=True, transposed=False):
    """A convolution, what it is followed by, and nothing of its own initialisation."""
    kind = nn.ConvTranspose2d if transposed else nn.Conv2d
    padding = 0 if transposed else (ks - 1) // 2
    conv = kind(ni, nf, ks, stride, padding, bias=norm != "batch")
    if norm in ("weight", "spectral"):
        conv = (weight_norm if norm == "weight" else spectral_norm)(conv)
    layers = [conv]
    if active:
        layers.append(nn.ReLU() if leaky is None else nn.LeakyReLU(leaky))
    if norm == "batch":
        layers.append(nn.BatchNorm2d(nf))
    return nn.Sequential(*layers)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        inner = max(c // 8, 1)
        self.query, self.key, self.value = (
            spectral_norm(nn.Conv1d(c, n, 1, bias=False)) for n in (inner, inner, c))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        flat = x.view(*x.shape[:2], -1)
        q, k, v = self.query(flat), self.key(flat), self.value(flat)
        beta = torch.softmax(torch.bmm(q.permute(0, 2, 1), k), dim=1)
        return (self.gamma * torch.bmm(v, beta) + flat).view(*x.shape)


def blurred():
    return nn.Sequential(nn.ReplicationPad2d((1, 0, 1, 0)), nn.AvgPool2d(2, stride=1))


def up(kind, ni, nf, blur, norm, leaky):
    if kind == "shuffle":
        relu = nn.ReLU() if leaky is None else nn.LeakyReLU(leaky)
        layers = [convolution(ni, 4 * nf, 1, norm=norm, active=False), relu, nn.PixelShuffle(2)]
        return nn.Sequential(*layers, *([blurred()] if blur else []))
    if kind == "transposed":
        layers = convolution(ni, nf, 2, 2, norm, leaky, transposed=True)
    else:
        layers = nn.Sequential(nn.Upsample(scale_factor=2, mode=kind),
                               convolution(ni, nf, 3, 1, norm, leaky))
    return nn.Sequential(layers, blurred()) if blur else layers


def fitted(x, like):
    return x if x.shape[2:] == like.shape[2:] else F.interpolate(x, like.shape[2:], mode="nearest")


class Block(nn.Module):
    def __init__(self, ni, skip, final, blur, attends, upsample, norm, leaky, skips):
        super().__init__()
        half = max(ni // 2, 1)
        self.up = up(upsample, ni, half, blur, norm, leaky)
        self.bn = nn.BatchNorm2d(skip) if skips else None
        width = half + (skip if skips else 0)
        self.nf = max(width // 2, 1) if final else width
        self.slope = 0 if leaky is None else leaky
        self.conv1 = convolution(width, self.nf, 3, 1, norm, leaky)
        self.conv2 = convolution(self.nf, self.nf, 3, 1, norm, leaky)
        if attends:
            self.conv2.append(Attention(self.nf))

    def forward(self, x, skip):
        x = self.up(x)
        if self.bn is not None:
            x = torch.cat([fitted(x, skip), self.bn(skip)], 1)
        return self.conv2(self.conv1(F.leaky_relu(x, self.slope)))


class UNet(nn.Sequential):
    """widths: of the skips, by the child of the encoder that they leave; `out`: of its end."""

    def __init__(
        self, encoder, widths, out, first_shrinks, n_out=3, channels=3, skips=True,
        last_cross=True, bottle=False, blur=False, blur_final=True, self_attention=False,
        upsample="shuffle", norm=None, leaky=None, y_range=None, residual=False,
    ):
        self.places = sorted(widths, reverse=True)
        middle = nn.Sequential(convolution(out, 2 * out, 3, 1, norm, leaky),
                               convolution(2 * out, out, 3, 1, norm, leaky))
        layers, n = [encoder, nn.BatchNorm2d(out), nn.ReLU(), middle], len(widths)
        for i, place in enumerate(self.places):
            final = i == n - 1
            layers.append(Block(out, widths[place], final, blur and (blur_final or not final),
                                self_attention and i == max(n - 3, 0), upsample, norm, leaky,
                                skips))
            out = layers[-1].nf
        if first_shrinks:
            layers.append(up(upsample, out, out, blur and blur_final, norm, leaky))
        layers.append(nn.Identity())  # ours brings the size back here
        self.cross = len(layers) if skips and last_cross else None
        if self.cross:
            out += channels
            inner = out // 2 if bottle else out
            block = nn.Sequential(convolution(out, inner, 3, 1, norm, leaky),
                                  convolution(inner, out, 3, 1, norm, leaky))
            layers += [nn.Identity(), block]
        last = None if norm == "batch" or residual else norm
        layers.append(convolution(out, n_out, 1, norm=last, active=False))
        super().__init__(*layers)
        self.y_range, self.residual = y_range, residual

    def forward(self, image):
        encoder, bn, relu, middle, *others = self
        kept, x = {}, image
        for i, layer in enumerate(encoder):
            x = layer(x)
            kept[i] = x
        x = middle(relu(bn(x)))
        for i, layer in enumerate(others, 4):
            if isinstance(layer, Block):
                x = layer(x, kept[self.places[i - 4]])
            elif isinstance(layer, nn.Identity):
                x = fitted(x, image)
            elif self.cross and i == self.cross + 1:
                x = torch.cat([x, image], 1)
                x = x + layer(x)
            else:
                x = layer(x)
        if self.residual:
            x = x + image
        if self.y_range:
            low, high = self.y_range
            x = torch.sigmoid(x) * (high - low) + low
        return x


def small_encoder(widths=(4, 6, 8)):
    """The twin of `models.small_encoder`, and what the U-Net's twin must know of it."""
    layers, ni = [], 3
    for i, nf in enumerate(widths):
        layers += [conv_layer(ni, nf, 1 if i == 0 else 2), Residual(nf)]
        ni = nf
    skips = {2 * i + 1: nf for i, nf in enumerate(widths[:-1])}
    return nn.Sequential(*layers), {"widths": skips, "out": widths[-1], "first_shrinks": False}


def stem_encoder(a=4, b=6, c=8):
    """A thin ResNet: a stem of stride 2, a pool, three stages. (The children are ResNet-34's.)"""
    def stage(ni, nf, stride):
        down = nn.Sequential(nn.Conv2d(ni, nf, 1, stride, bias=False), nn.BatchNorm2d(nf))
        return nn.Sequential(BasicBlock(ni, nf, stride, None if (ni, stride) == (nf, 1) else down))

    stem = [nn.Conv2d(3, a, 7, 2, 3, bias=False), nn.BatchNorm2d(a), nn.ReLU(),
            nn.MaxPool2d(3, 2, 1)]
    layers = nn.Sequential(*stem, stage(a, a, 1), stage(a, b, 2), stage(b, c, 2))
    return layers, {"widths": {2: a, 4: a, 5: b}, "out": c, "first_shrinks": True}


class FeatureLoss(nn.Module):
    """The course's loss, with hooks on the layers before the pools."""

    def __init__(self, net, places, weights, gram):
        super().__init__()
        self.net, self.weights, self.scale, self.found = net, weights, gram, {}
        for i in places:
            net[i].register_forward_hook(lambda m, x, y, i=i: self.found.__setitem__(i, y))
        self.places = places
        net.requires_grad_(False).eval()

    def features(self, x):
        self.net(x)
        return [self.found[i] for i in self.places]

    def forward(self, output, target):
        wanted = [f.clone() for f in self.features(target)]
        got = self.features(output)
        parts = [F.l1_loss(output, target)]
        parts += [w * F.l1_loss(a, b) for a, b, w in zip(got, wanted, self.weights, strict=True)]
        parts += [self.scale * w**2 * F.l1_loss(gram(a), gram(b))
                  for a, b, w in zip(got, wanted, self.weights, strict=True)]
        self.parts = [p.item() for p in parts]
        return sum(parts)


def gram(x):
    return torch.einsum("nchw,ndhw->ncd", x, x) / x[0].numel()
