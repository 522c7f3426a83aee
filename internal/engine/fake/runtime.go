package fake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

// Runtime is a host.Runtime in memory. It may outlive the engines that use it, as a host does.
type Runtime struct {
	mu         sync.Mutex
	networks   map[string]setops.StageRef
	serve      engine.Serve
	fronts     map[string]*fronts // by stage
	containers map[string]*container
	images     map[string]Image
	byDefault  Image
	prepared   []engine.Image
	faults     map[string]error
}

var (
	_ host.Runtime  = (*Runtime)(nil)
	_ host.Listener = (*Runtime)(nil)
)

// NewRuntime makes a runtime without containers.
func NewRuntime() *Runtime {
	return &Runtime{
		networks: map[string]setops.StageRef{}, fronts: map[string]*fronts{}, containers: map[string]*container{},
		images: map[string]Image{}, byDefault: Serve(), faults: map[string]error{},
	}
}

// SetImage says what containers of an image do that are started from now on.
func (r *Runtime) SetImage(digest string, i Image) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.images[digest] = i
}

func (r *Runtime) setDefault(i Image) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.byDefault = i
}

// Fail makes the method of that name (as "EnsureNetwork") fail until it is called with nil.
func (r *Runtime) Fail(method string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[method] = err
}

// Prepared lists the images that Prepare was called for, in order.
func (r *Runtime) Prepared() []engine.Image {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.prepared)
}

func (r *Runtime) image(digest string) Image {
	i, known := r.images[digest]
	if !known {
		i = r.byDefault
	}
	if len(i.Entrypoint) == 0 && i.Program == nil {
		i.Entrypoint, i.Command = []string{"/testapp"}, []string{"serve"}
	}
	return i
}

// EnsureNetwork implements host.Runtime.
func (r *Runtime) EnsureNetwork(_ context.Context, s setops.StageRef) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.networks[s.ID] = s
	return r.faults["EnsureNetwork"]
}

// RemoveNetwork implements host.Runtime.
func (r *Runtime) RemoveNetwork(_ context.Context, stageID string) error {
	if err := r.removeNetwork(stageID); err != nil {
		return err
	}
	r.forgetFronts(stageID)
	return nil
}

func (r *Runtime) removeNetwork(stageID string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.containers {
		if c.spec.Stage.ID == stageID {
			return fmt.Errorf("remove network %s: container %s is on it", stageID, c.spec.ID)
		}
	}
	delete(r.networks, stageID)
	return r.faults["RemoveNetwork"]
}

// Networks implements host.Runtime.
func (r *Runtime) Networks(context.Context) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for id := range r.networks {
		ids = append(ids, id)
	}
	return ids, r.faults["Networks"]
}

// Prepare implements host.Runtime.
func (r *Runtime) Prepare(_ context.Context, i engine.Image) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.faults["Prepare"]; err != nil {
		return err
	}
	r.prepared = append(r.prepared, i)
	return r.image(i.Digest).PrepareErr
}

// RemoveImages implements host.Runtime.
func (r *Runtime) RemoveImages(_ context.Context, prefix string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prepared = slices.DeleteFunc(r.prepared, func(i engine.Image) bool {
		return strings.HasPrefix(i.Repository, prefix+"/")
	})
	return r.faults["RemoveImages"]
}

// RemoveImage implements host.Runtime.
func (r *Runtime) RemoveImage(_ context.Context, image engine.Image) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.prepared = slices.DeleteFunc(r.prepared, func(i engine.Image) bool { return i == image })
	return r.faults["RemoveImage"]
}

// Create implements host.Runtime.
func (r *Runtime) Create(_ context.Context, spec host.Spec) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.faults["Create"]; err != nil {
		return "", err
	}
	if _, there := r.networks[spec.Stage.ID]; !there {
		return "", fmt.Errorf("create container %s: stage %s has no network", spec.ID, spec.Stage.ID)
	}
	image := r.image(spec.Container.Image.Digest)
	if image.CreateErr != nil {
		return "", image.CreateErr
	}
	if c := r.containers[spec.ID]; c != nil {
		return c.ip, nil
	}
	c := newContainer(spec, image, r.resolve)
	r.containers[spec.ID] = c
	return c.ip, nil
}

// Start implements host.Runtime.
func (r *Runtime) Start(_ context.Context, id string) error {
	r.mu.Lock()
	err := r.faults["Start"]
	r.mu.Unlock()
	c := r.container(id)
	switch {
	case err != nil:
		return err
	case c == nil:
		return fmt.Errorf("start container %s: it does not exist", id)
	}
	return c.start()
}

func (r *Runtime) container(id string) *container {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.containers[id]
}

// Signal implements host.Runtime.
func (r *Runtime) Signal(_ context.Context, id string, s syscall.Signal) error {
	if c := r.container(id); c != nil {
		c.signal(s)
	}
	return nil
}

// Wait implements host.Runtime.
func (r *Runtime) Wait(ctx context.Context, id string) (host.Exit, error) {
	c := r.container(id)
	if c == nil {
		return host.Exit{Lost: true, At: time.Now()}, nil
	}
	select {
	case <-ctx.Done():
		return host.Exit{}, ctx.Err()
	case <-c.ended:
		return c.exit, nil
	}
}

// Remove implements host.Runtime.
func (r *Runtime) Remove(_ context.Context, id string) error {
	c := r.container(id)
	if c != nil {
		c.signal(syscall.SIGKILL)
		c.done.Wait()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.faults["Remove"]; err != nil {
		return err
	}
	delete(r.containers, id)
	return nil
}

// List implements host.Runtime.
func (r *Runtime) List(context.Context) ([]host.Found, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []host.Found
	for _, c := range r.containers {
		found = append(found, c.found())
	}
	return found, r.faults["List"]
}

// Close kills and removes all containers.
func (r *Runtime) Close() error {
	r.closeFronts()
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, c := range r.containers {
		c.signal(syscall.SIGKILL)
		c.done.Wait()
		delete(r.containers, id)
	}
	return nil
}
