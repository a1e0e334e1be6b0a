"""From a trained student to a verified browser bundle: TensorFlow, TensorFlow.js, parity."""
