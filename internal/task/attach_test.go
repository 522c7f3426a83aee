package task_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/internal/task"
)

// occupied is an engine whose programs run until they are let go.
type occupied struct {
	world
	begun chan struct{}
	end   chan struct{}
}

func (o *occupied) Attach(context.Context, string, []string, engine.Streams) (int, error) {
	o.begun <- struct{}{}
	<-o.end
	return 0, nil
}

func TestProgramsAreAttachedUpToALimit(t *testing.T) {
	for what, test := range map[string]struct {
		most int
		id   func(i int) string
	}{
		"task t-0 has 10 programs":     {task.AttachedTaskMax, func(int) string { return "t-0" }},
		"this server has 100 programs": {task.AttachedMax, func(i int) string { return fmt.Sprint("t-", i) }},
	} {
		t.Run(what, func(t *testing.T) {
			o := &occupied{begun: make(chan struct{}), end: make(chan struct{})}
			s := service(&o.world)
			s.Engine = o
			var running sync.WaitGroup
			for i := range test.most {
				running.Go(func() {
					if _, err := s.Attach(t.Context(), test.id(i), []string{"sh"}, engine.Streams{}); err != nil {
						t.Error(err)
					}
				})
				<-o.begun
			}
			_, attached := s.Attach(t.Context(), test.id(test.most), []string{"sh"}, engine.Streams{})
			_, joined := s.Join(t.Context(), test.id(test.most), engine.Streams{})
			for _, err := range []error{attached, joined} {
				if !setops.IsCode(err, setops.Overload) || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "try again") {
					t.Errorf("got %v", err)
				}
			}
			close(o.end)
			running.Wait()
			if _, err := s.Join(t.Context(), test.id(0), engine.Streams{}); err != nil {
				t.Errorf("there is room again: %v", err)
			}
		})
	}
}
