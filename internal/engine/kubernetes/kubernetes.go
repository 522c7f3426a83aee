package kubernetes

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/client-go/tools/cache"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/kubernetes/isolation"
	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/platform"
	"github.com/setopsco/setops/internal/engine/record"
	"github.com/setopsco/setops/internal/engine/tasklog"
	"github.com/setopsco/setops/internal/engine/watch"
	"github.com/setopsco/setops/internal/kube"
	"github.com/setopsco/setops/internal/setops"
)

// Engine implements engine.Engine on a cluster.
//
// One lock guards what is known; nothing that blocks is done under it. Each pod has an attendant, which is the only one to
// change the status of its tasks.
type Engine struct {
	cfg     Config
	api     kube.API
	streams kube.API // for logs
	records record.Dir[setops.Task]
	logs    tasklog.Logs // DIR/logs

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	pods, deployments, namespaces cache.SharedIndexInformer

	writing [64]sync.Mutex // of generations, see lockWriting

	mu          sync.Mutex
	closed      bool
	stages      map[string]setops.StageRef
	gone        map[string]bool // stages that were removed: ids never come again
	generations map[string]*generation
	dropped     map[string]struct{} // one-off tasks that are known no more, as long as their pods are there
	attendants  map[string]*attendant
	tasks       map[string]*task // ended ones too, for a while
	onStage     map[string]map[string]*task
	watchers    watch.Watchers
	leads       map[string]*leading // by stage
	leaders     []leader            // fixed
	made        []platform.Platform // what the nodes are; nil: not known yet
	isolation   isolation.Finding
	nameServers []string    // addresses of those that know private names
	drifted     chan string // ids of generations that somebody else has changed
}

var (
	_ engine.Engine = (*Engine)(nil)
	_ engine.Switch = (*Engine)(nil)
	_ engine.Ports  = (*Engine)(nil)
)

// New makes an engine, and adopts the tasks that an earlier one left running.
func New(ctx context.Context, cfg Config) (*Engine, error) {
	e := &Engine{
		cfg:    cfg.withDefaults(),
		stages: map[string]setops.StageRef{}, gone: map[string]bool{},
		generations: map[string]*generation{}, attendants: map[string]*attendant{}, dropped: map[string]struct{}{},
		tasks: map[string]*task{}, onStage: map[string]map[string]*task{}, leads: map[string]*leading{},
		drifted: make(chan string, 100),
	}
	var err error
	if e.api, err = kube.Connect(cfg.Kubeconfig); err != nil {
		return nil, err
	}
	if e.streams, err = e.api.Apart(); err != nil {
		return nil, err
	}
	if e.api, err = e.api.Guarded(cfg.Holds); err != nil {
		return nil, err
	}
	e.leaders = e.cfg.Routing.leaders(e.api)
	if e.records, err = record.Open[setops.Task](filepath.Join(cfg.Dir, "records")); err != nil {
		return nil, err
	}
	e.ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	e.logs = tasklog.Logs{
		Dir: filepath.Join(cfg.Dir, "logs"), Kept: cfg.LogsKept, Now: time.Now, Complete: e.logComplete, Open: e.ctx,
	}
	if err := e.start(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Engine) start(ctx context.Context) error {
	if err := e.inform(ctx); err != nil {
		return err
	}
	if _, err := e.findNames(ctx); err != nil {
		return err
	}
	if err := e.adopt(ctx); err != nil {
		return err
	}
	if err := e.renewCredentials(ctx); err != nil {
		return err
	}
	if err := e.renewStandards(ctx); err != nil {
		return err
	}
	e.wg.Go(e.sweep)
	e.wg.Go(e.mend)
	e.wg.Go(e.mendRegularly)
	if len(e.cfg.ProbeArgs) > 0 {
		e.wg.Go(e.isolate)
	}
	return nil
}

// Close stops following and returns when all goroutines have ended. Tasks go on.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.wg.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, t := range e.tasks {
		if t.log != nil {
			t.log.Close() //nolint:errcheck // every line was written by then
		}
	}
	return nil
}

// stageOf is what the objects of a stage are made from.
func (e *Engine) stageOf(s setops.StageRef) object.Stage {
	user, password := e.cfg.Credentials(s)
	return object.Stage{
		StageRef: s, Installation: e.cfg.Installation, Restricted: e.cfg.Restricted(s), Callers: e.cfg.Callers,
		Registry: e.cfg.Registry, User: user, Password: password, NameServers: e.knownNames(), Domain: e.cfg.Domain,
	}
}
