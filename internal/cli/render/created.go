package render

import (
	"io"
	"time"

	"github.com/setopsco/setops/pkg/api"
)

// Created prints what a project is.
func Created(w io.Writer, name string, at time.Time, by string) error {
	return created(name, at, by).Write(w)
}

// Stage prints what a stage is.
func Stage(w io.Writer, s api.Stage) error {
	b := created(s.Name, s.CreatedAt, s.CreatedBy)
	if s.LogRetention > 0 {
		b.Add("Log Retention", Days(s.LogRetention))
	}
	return b.Write(w)
}

func created(name string, at time.Time, by string) *Block {
	return new(Block).Add("Name", name).Add("Created At", Time(at)).Add("Created By", by)
}
