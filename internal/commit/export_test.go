package commit

// What tests of the outside look at.
var (
	TaskID  = taskID
	TaskLog = (*Service).taskLog
)
