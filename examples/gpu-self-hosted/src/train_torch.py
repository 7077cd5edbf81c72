"""Train the network by PyTorch, on a GPU where there is one."""

import network
import numpy as np
import torch
from torch import nn


def main() -> None:
    """Write model.npz and loss.csv."""
    options = network.options()
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(f"training on {torch.cuda.get_device_name() if device.type == 'cuda' else 'the CPU'}")
    images, labels = (torch.from_numpy(part).to(device) for part in network.digits("train"))
    net = nn.Sequential(nn.Linear(64, options.hidden), nn.ReLU(), nn.Linear(options.hidden, 10))
    net.to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=options.rate)
    history = []
    for _ in range(options.epochs):
        for rows in torch.randperm(len(labels)).to(device).split(options.batch):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images[rows]), labels[rows]).backward()
            optimizer.step()
        history.append(network.losses(weights(net)))
    network.save(weights(net), history)


def weights(net: nn.Sequential) -> dict[str, np.ndarray]:
    """Return what the network has learnt so far."""
    first, second = (net[place].state_dict() for place in (0, 2))
    return {
        "weights_1": first["weight"].T.cpu().numpy(),
        "bias_1": first["bias"].cpu().numpy(),
        "weights_2": second["weight"].T.cpu().numpy(),
        "bias_2": second["bias"].cpu().numpy(),
    }


if __name__ == "__main__":
    main()
