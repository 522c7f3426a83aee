package daemon

import (
	"context"
	"time"

	"github.com/setopsco/setops/internal/pull"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/setops"
)

// pullerPorts let engines pull: Docker, beside the server, every image, and the nodes of a cluster those of the stage that they pull for.
// They ask the others about everybody else.
type pullerPorts struct {
	registryPorts
	passwords pull.Passwords
}

func withPuller(p registryPorts, key []byte, now func() time.Time) (pullerPorts, error) {
	passwords, err := pull.New(key, now)
	return pullerPorts{p, passwords}, err
}

// credentials are those for Docker.
func (p pullerPorts) credentials(context.Context) (user, password string, err error) {
	return pull.Everything, p.passwords.Of(pull.Everything), nil
}

// stageCredentials are those that a stage of a cluster has now.
func (p pullerPorts) stageCredentials(s setops.StageRef) (user, password string) {
	return pull.Stage(s.ID), p.passwords.Of(pull.Stage(s.ID))
}

// Authenticate lets engines in by their passwords.
func (p pullerPorts) Authenticate(ctx context.Context, username, password string) (registry.Identity, error) {
	if !pull.IsHolder(username) {
		return p.registryPorts.Authenticate(ctx, username, password)
	}
	if !p.passwords.Accepts(username, password) {
		return registry.Identity{}, registry.ErrCredentials
	}
	return registry.Identity{User: username}, nil
}

// Authorize lets engines pull, and do nothing else.
func (p pullerPorts) Authorize(ctx context.Context, who registry.Identity, repository string, action registry.Action) error {
	if who.Credential != "" || !pull.IsHolder(who.User) {
		return p.registryPorts.Authorize(ctx, who, repository, action)
	}
	if action != registry.Pull {
		return registry.Denied("the server pulls images and does nothing else with them")
	}
	id, ofStage := pull.StageOf(who.User)
	if !ofStage {
		return nil
	}
	// It is looked up each time: another stage of the same name has another id.
	s, ok, err := p.store.StageRef(ctx, id)
	if err == nil && (!ok || !pull.Covers(s, repository)) {
		return registry.Denied("these credentials pull images of their own stage, and %s is not one of it", repository)
	}
	return err
}
