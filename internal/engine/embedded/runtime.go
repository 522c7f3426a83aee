//go:build linux

package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/embedded/image"
	"github.com/setopsco/setops/internal/engine/embedded/network"
	"github.com/setopsco/setops/internal/engine/embedded/wire"
	"github.com/setopsco/setops/internal/engine/host"
	"github.com/setopsco/setops/internal/setops"
)

// Images is what the runtime needs of package image.
type Images interface {
	Prepare(ctx context.Context, i engine.Image) error
	Mount(ctx context.Context, i engine.Image, containerID string) (image.Rootfs, error)
	Unmount(ctx context.Context, containerID string) error
	RemoveRepository(ctx context.Context, prefix string, inUse func(engine.Image) bool) error
	RemoveImage(ctx context.Context, i engine.Image, inUse func(engine.Image) bool) error
}

// Network is what the runtime needs of package network.
type Network interface {
	EnsureStage(ctx context.Context, s setops.StageRef) error
	RemoveStage(ctx context.Context, id string) error
	Stages(ctx context.Context) ([]string, error)
	SetFronts(ctx context.Context, stageID string, fronts []engine.Front) error
	Attach(ctx context.Context, stageID, containerID string) (network.Endpoint, error)
	Detach(ctx context.Context, containerID string) error
}

// Config says where the runtime lives and what it works with.
type Config struct {
	Dir      string // of this runtime; made by New
	Instance string // 8 lower-case hexadecimal digits; part of the cgroups' name
	Images   Images
	Network  Network
	Shim     string // path of the program setops-shim; see package shimbin
	Logger   *slog.Logger
}

// Runtime runs containers. It implements host.Runtime.
type Runtime struct {
	cfg     Config
	bootID  string
	seccomp *specs.LinuxSeccomp // made once: it is the same for all
	limits  limits
	locks   keyLock

	ownCgroup string         // see stir
	stirring  sync.WaitGroup // the calls of stir that are under way

	mu     sync.Mutex
	states map[string]state // of the containers that this process has made
}

var _ host.Runtime = (*Runtime)(nil)

var instanceShape = regexp.MustCompile(`^[0-9a-f]{8}$`)

// New opens the runtime in cfg.Dir and adopts the containers that it finds there. They are not touched.
func New(cfg Config) (*Runtime, error) {
	if !instanceShape.MatchString(cfg.Instance) {
		return nil, fmt.Errorf("open embedded engine: the instance %q is not 8 hexadecimal digits", cfg.Instance)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("open embedded engine: %w", err)
	}
	cfg.Dir = dir
	// Shims are started in directories of their own.
	if cfg.Shim, err = filepath.Abs(cfg.Shim); err != nil {
		return nil, fmt.Errorf("open embedded engine: %w", err)
	}
	boot, err := wire.BootID()
	if err != nil {
		return nil, fmt.Errorf("open embedded engine: %w", err)
	}
	profile, err := seccompProfile()
	if err != nil {
		return nil, fmt.Errorf("open embedded engine: %w", err)
	}
	r := &Runtime{cfg: cfg, bootID: boot, seccomp: profile, limits: measure(), states: map[string]state{}, ownCgroup: ownCgroup()}
	if err := os.MkdirAll(r.tasksDir(), 0o700); err != nil {
		return nil, fmt.Errorf("open embedded engine: %w", err)
	}
	return r, nil
}

// Close leaves all containers as they are. After the last of them nothing of this installation is left in the kernel.
func (r *Runtime) Close() error {
	r.stirring.Wait()
	left, err := os.ReadDir(r.tasksDir())
	if err != nil || len(left) > 0 {
		return err
	}
	r.removeParents()
	return nil
}

// EnsureNetwork makes the network of a stage.
func (r *Runtime) EnsureNetwork(ctx context.Context, s setops.StageRef) error {
	return r.cfg.Network.EnsureStage(ctx, s)
}

// RemoveNetwork removes it once no container is on it.
func (r *Runtime) RemoveNetwork(ctx context.Context, stageID string) error {
	return r.cfg.Network.RemoveStage(ctx, stageID)
}

// Networks lists the stages that have a network.
func (r *Runtime) Networks(ctx context.Context) ([]string, error) {
	return r.cfg.Network.Stages(ctx)
}

// SetFronts makes exactly these private names resolve on the stage's network and listens for them.
func (r *Runtime) SetFronts(ctx context.Context, stageID string, fronts []engine.Front) error {
	return r.cfg.Network.SetFronts(ctx, stageID, fronts)
}

// Prepare fetches and unpacks an image.
func (r *Runtime) Prepare(ctx context.Context, i engine.Image) error {
	return r.cfg.Images.Prepare(ctx, i)
}

// RemoveImages forgets the images below a repository prefix that no container is made from.
func (r *Runtime) RemoveImages(ctx context.Context, repositoryPrefix string) error {
	used, err := r.usedImages()
	if err != nil {
		return err
	}
	return r.cfg.Images.RemoveRepository(ctx, repositoryPrefix, used)
}

// RemoveImage forgets one image, unless a container is made from it.
func (r *Runtime) RemoveImage(ctx context.Context, i engine.Image) error {
	used, err := r.usedImages()
	if err != nil {
		return err
	}
	return r.cfg.Images.RemoveImage(ctx, i, used)
}

// usedImages tells the images that containers are made from. Containers of earlier versions know their digest alone: for them
// that of every repository is kept.
func (r *Runtime) usedImages() (func(engine.Image) bool, error) {
	metas, err := r.metas()
	if err != nil {
		return nil, err
	}
	used := map[engine.Image]bool{}
	for _, m := range metas {
		used[engine.Image{Repository: m.Repository, Digest: m.Digest}] = true
	}
	return func(i engine.Image) bool { return used[i] || used[engine.Image{Digest: i.Digest}] }, nil
}

func (r *Runtime) tasksDir() string { return filepath.Join(r.cfg.Dir, "tasks") }

func (r *Runtime) taskDir(id string) string { return filepath.Join(r.tasksDir(), id) }

// cgroup is the path of a container's cgroup below the root of each hierarchy.
func (r *Runtime) cgroup(id string) string { return "/setops-" + r.cfg.Instance + "/" + id }

var idShape = regexp.MustCompile(`^[0-9a-zA-Z_-]{1,64}$`)

// errID is for ids that would lead out of the directory.
func errID(id string) error {
	if idShape.MatchString(id) {
		return nil
	}
	return errors.New("the id of a container is 1 to 64 letters, digits, dashes and underscores")
}
