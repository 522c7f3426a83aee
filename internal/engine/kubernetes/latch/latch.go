package latch

// Program is the program itself; nil: this setopsd was built without it.
func Program() []byte { return carried }
