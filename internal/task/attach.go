package task

import (
	"context"
	"fmt"
	"sync"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
)

// How many programs people may have attached at a time, those of interactive tasks among them: to all tasks of this server, and to one.
// Each holds a connection and some goroutines.
const (
	AttachedMax     = 100
	AttachedTaskMax = 10
)

// attached counts the programs that are attached.
type attached struct {
	mu  sync.Mutex
	all int
	of  map[string]int // by task
}

// admit counts one more, until leave is called. Errors: Overload (temporary).
func (a *attached) admit(taskID string) (leave func(), err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.of[taskID] >= AttachedTaskMax:
		return nil, tooMany(fmt.Sprintf("task %s has %d programs attached", taskID, AttachedTaskMax), "one of them")
	case a.all >= AttachedMax:
		return nil, tooMany(fmt.Sprintf("this server has %d programs attached", AttachedMax), "a session that you do not need")
	}
	if a.of == nil {
		a.of = map[string]int{}
	}
	a.all++
	a.of[taskID]++
	return func() { a.release(taskID) }, nil
}

func (a *attached) release(taskID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all--
	if a.of[taskID]--; a.of[taskID] == 0 {
		delete(a.of, taskID)
	}
}

func tooMany(what, end string) error {
	return &setops.Error{
		Kind: setops.StateError, Code: setops.Overload, Temporary: true,
		Message: fmt.Sprintf("%s, which is the most; end %s and try again", what, end),
	}
}

// Attach runs a program inside a task that runs. Errors: ValidationFailed, TaskDoesNotExist, Overload (temporary).
func (s *Service) Attach(ctx context.Context, id string, argv []string, streams engine.Streams) (int, error) {
	if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckArgv("arguments", argv)); err != nil {
		return 0, err
	}
	leave, err := s.attached.admit(id)
	if err != nil {
		return 0, err
	}
	defer leave()
	return s.Engine.Attach(ctx, id, argv, streams)
}

// Join carries the streams of an interactive task's own program and gives the task once it has ended. One that there is no room for waits
// for the rest of its minute: it can be tried again. Errors: TaskDoesNotExist, Overload (temporary).
func (s *Service) Join(ctx context.Context, id string, streams engine.Streams) (setops.Task, error) {
	leave, err := s.attached.admit(id)
	if err != nil {
		return setops.Task{}, err
	}
	defer leave()
	return s.Engine.Join(ctx, id, streams)
}
