from fieldguide.inference.guide import load as load
