from __future__ import annotations

import pytest

from agent_console.domain.checkpoints import CheckpointStatus, CheckpointType
from agent_console.domain.errors import Invalid
from agent_console.domain.jobs import JobStatus
from agent_console.testing import Bench


def test_leaves_one_info_checkpoint_and_does_not_stop(bench: Bench) -> None:
    job_id = bench.enqueue("simple-task", {"userId": "user-1", "action": "greet"})
    assert bench.run() == 1
    job = bench.job(job_id)
    assert job.status is JobStatus.COMPLETED
    assert job.output_data == {"success": True, "userId": "user-1", "action": "greet"}
    (note,) = bench.checkpoints(job_id)
    assert note.checkpoint_type is CheckpointType.INFO
    assert note.status is CheckpointStatus.APPROVED
    assert note.data == {"userId": "user-1", "action": "greet"}
    assert bench.log(job_id) == ["Carrying out 'greet' for 'user-1'"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"action": "greet"}, "inputData.userId"),
        ({"userId": "", "action": "greet"}, "inputData.userId"),
        ({"userId": "u", "action": 5}, "inputData.action"),
    ],
)
def test_a_wrong_input_is_refused_by_name(
    bench: Bench, data: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        bench.enqueue("simple-task", data)  # type: ignore[arg-type]
    assert [error.field for error in refused.value.fields] == [field]
