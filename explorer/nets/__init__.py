"""Networks in torch: operations, frozen networks, NNI model spaces, and the trainer."""
