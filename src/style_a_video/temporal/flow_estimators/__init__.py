"""One module an estimator of optical flow; its name is the choice of `Settings.flow`.

To add one, add a module with `estimator(*, device, fast) -> FlowEstimator`.
"""
