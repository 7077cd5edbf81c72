"""Train the network by scikit-learn, on the CPU."""

import network
import numpy as np
from sklearn.neural_network import MLPClassifier


def main() -> None:
    """Write model.npz and loss.csv."""
    options = network.options()
    classifier = MLPClassifier(
        hidden_layer_sizes=(options.hidden,),
        learning_rate_init=options.rate,
        batch_size=options.batch,
        random_state=options.seed,
    )
    images, labels = network.digits("train")
    history = []
    for _ in range(options.epochs):
        classifier.partial_fit(images, labels, classes=np.arange(10))
        history.append(network.losses(weights(classifier)))
    network.save(weights(classifier), history)


def weights(classifier: MLPClassifier) -> dict[str, np.ndarray]:
    """Return what the classifier has learnt so far."""
    (first, second), (bias_1, bias_2) = classifier.coefs_, classifier.intercepts_
    return {"weights_1": first, "bias_1": bias_1, "weights_2": second, "bias_2": bias_2}


if __name__ == "__main__":
    main()
