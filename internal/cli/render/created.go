package render

import (
	"io"
	"time"
)

// Created prints what a project or a stage is.
func Created(w io.Writer, name string, at time.Time, by string) error {
	return new(Block).Add("Name", name).Add("Created At", Time(at)).Add("Created By", by).Write(w)
}
