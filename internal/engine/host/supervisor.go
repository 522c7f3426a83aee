package host

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/record"
	"github.com/setopsco/setops/internal/engine/tasklog"
	"github.com/setopsco/setops/internal/engine/watch"
	"github.com/setopsco/setops/internal/setops"
)

// Supervisor keeps generations alive on one host. It implements engine.Engine.
//
// One lock guards what is known; nothing that blocks is done under it. Each task has a goroutine that leads it through
// its life and is the only one to change its status (see life.go).
type Supervisor struct {
	cfg     Config
	records record.Dir[setops.Task]     // DIR/records, by task
	refs    record.Dir[setops.StageRef] // DIR/stages, by stage
	numbers record.Dir[int64]           // DIR/fences: of the newest lease of each stage that was seen
	logs    tasklog.Logs                // DIR/logs

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu          sync.Mutex
	closed      bool
	stages      map[string]setops.StageRef
	fences      map[string]int64 // the newest lease that has written, by stage
	generations map[string]*generation
	tasks       map[string]*task            // ended ones too, for a while
	onStage     map[string]map[string]*task // the same by stage: who lists one shall not look at all
	watchers    watch.Watchers
}

var (
	_ engine.Engine = (*Supervisor)(nil)
	_ engine.Fronts = (*Supervisor)(nil)
)

// New makes a supervisor and adopts the tasks that an earlier one left running.
func New(ctx context.Context, cfg Config) (*Supervisor, error) {
	s := &Supervisor{
		cfg:         cfg.withDefaults(),
		generations: map[string]*generation{},
		tasks:       map[string]*task{},
		onStage:     map[string]map[string]*task{},
	}
	var err error
	if s.records, err = record.Open[setops.Task](filepath.Join(cfg.Dir, "records")); err != nil {
		return nil, err
	}
	if s.refs, err = record.Open[setops.StageRef](filepath.Join(cfg.Dir, "stages")); err != nil {
		return nil, err
	}
	if s.stages, err = s.refs.All(); err != nil {
		return nil, err
	}
	if s.numbers, err = record.Open[int64](filepath.Join(cfg.Dir, "fences")); err != nil {
		return nil, err
	}
	if s.fences, err = s.numbers.All(); err != nil {
		return nil, err
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.logs = tasklog.Logs{
		Dir: filepath.Join(cfg.Dir, "logs"), Kept: s.cfg.Logs.Retention, AppBytes: s.cfg.Logs.AppBytes,
		Now: s.now, Complete: s.logComplete, Open: s.ctx,
	}
	if err := s.adopt(ctx); err != nil {
		s.cancel()
		s.wg.Wait()
		return nil, err
	}
	s.wg.Go(s.sweep)
	return s, nil
}

// Close stops supervising and returns when all goroutines have ended. It leaves the runtime open and tasks running.
func (s *Supervisor) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.wg.Wait()
	return nil
}

func (s *Supervisor) now() time.Time { return s.cfg.Now().UTC() }

// sleep reports false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
