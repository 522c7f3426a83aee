package rootfs

// Fault is a program that cannot run, told in one sentence.
type Fault struct {
	Reason  string
	Missing bool // it is not there; else it is, and cannot be executed
}

func (f *Fault) Error() string { return f.Reason }

// Code is the exit code that shells give for such a program.
func (f *Fault) Code() int {
	if f.Missing {
		return 127
	}
	return 126
}
