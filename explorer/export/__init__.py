"""What can be taken away as text: NNI code, PyTorch code, reports. Imports neither torch nor NNI."""
