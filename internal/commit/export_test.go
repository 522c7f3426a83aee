package commit

// TaskID is what tests of the outside look at.
var TaskID = taskID
