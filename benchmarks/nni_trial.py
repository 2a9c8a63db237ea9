"""One trial of a real NNI experiment: trains the architecture that NNI sends, exactly as our own trial does.

Started by NNI's local training service, once a trial; see throughput.py.
"""

import json
import sys

import nni

from explorer.trials.evaluate import evaluate


def main() -> None:
    """Train what `nni.get_next_parameter()` says; report every epoch and the end."""
    payload = json.loads(sys.argv[1])
    payload["architecture"] = {
        label: json.loads(choice) if label == "skip" else choice
        for label, choice in nni.get_next_parameter().items()
    }
    for report in evaluate(payload):
        (nni.report_final_result if report.get("final") else nni.report_intermediate_result)(report["value"])


if __name__ == "__main__":
    import torch

    torch.set_num_threads(1)
    main()
