package verdict

import "github.com/setopsco/setops/internal/setops"

// NotJoinable refuses whoever would join a task that is not there for that.
func NotJoinable(taskID string) error {
	return setops.Refuse(setops.TaskDoesNotExist, "task %s does not wait for anybody; run a command inside it with task:attach", taskID)
}

// AlreadyJoined refuses whoever would join a task that somebody has joined.
func AlreadyJoined(taskID string) error {
	return setops.Refuse(setops.TaskDoesNotExist, "somebody is connected to the program of task %s, or was; run a command inside it with task:attach", taskID)
}
