package daemon

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/setopsco/setops/internal/auth"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/setops"
)

// registryPorts lets the registry ask who somebody is and what they may do.
type registryPorts struct {
	sessions     *auth.Sessions
	access       auth.Access
	organization string // of service users that sign in with their name alone
	store        interface {
		App(ctx context.Context, stageID, name string) (*setops.App, bool, error)
		Member(ctx context.Context, organization, email string) (setops.User, bool, error)
		StageRef(ctx context.Context, id string) (setops.StageRef, bool, error)
	}
}

func (p registryPorts) Authenticate(ctx context.Context, username, password string) (registry.Identity, error) {
	if strings.HasPrefix(password, auth.TokenPrefix) {
		return p.AuthenticateToken(ctx, password)
	}
	if !strings.Contains(username, "@") {
		username = setops.ServiceEmail(username, p.organization)
	}
	u, err := p.sessions.CheckAccount(ctx, username, password, "registry")
	return identity(u), credentials(err)
}

func (p registryPorts) AuthenticateToken(ctx context.Context, token string) (registry.Identity, error) {
	u, _, err := p.sessions.CheckToken(ctx, token)
	return identity(u), credentials(err)
}

// identity keeps who it is. The registry's protocol has no place for an organization: whoever signs in with a password is
// themselves in all of theirs, and a token is good for its own.
func identity(u setops.User) registry.Identity {
	return registry.Identity{User: u.Email, Credential: u.ID + "/" + u.OrganizationID}
}

// member gives who somebody is in the organization of a repository. It is looked up each time: they may have left it.
func (p registryPorts) member(ctx context.Context, who registry.Identity, organization string) (setops.User, error) {
	id, only, _ := strings.Cut(who.Credential, "/")
	u, ok, err := p.store.Member(ctx, organization, who.User)
	if err == nil && (!ok || u.ID != id || only != "" && only != u.OrganizationID) {
		err = registry.Denied("there is no organization %q that you are signed in to", organization)
	}
	return u, err
}

// credentials says in the registry's words why somebody could not sign in.
func credentials(err error) error {
	switch {
	case setops.IsCode(err, setops.Overload):
		return &registry.ThrottleError{}
	case setops.IsCode(err, setops.CredentialsInvalid), setops.IsCode(err, setops.SessionInvalid):
		return registry.ErrCredentials
	}
	return err
}

// Authorize grants images of an app to whoever may see its stage, once the app is committed.
func (p registryPorts) Authorize(ctx context.Context, who registry.Identity, repository string, action registry.Action) error {
	parts := strings.Split(repository, "/")
	if len(parts) != 4 {
		return registry.Denied("%s names no app; images are pushed to ORGANIZATION/PROJECT/STAGE/APP", repository)
	}
	if action == registry.Delete {
		return registry.Denied("images are removed with their app, not by hand: a release may need this one")
	}
	user, err := p.member(ctx, who, parts[0])
	if err != nil {
		return err
	}
	_, ref, err := p.access.Stage(ctx, user, parts[0], parts[1], parts[2], auth.SeeStage)
	if err != nil {
		return denied(err)
	}
	_, ok, err := p.store.App(ctx, ref.ID, parts[3])
	if err == nil && !ok {
		return registry.Denied("there is no app %s on stage %s; create it with `setops app:create %s` and commit it with `setops changeset:commit` before you push",
			parts[3], parts[2], parts[3])
	}
	return err
}

// denied tells a refusal, which the user is shown, from a fault, which is not.
func denied(err error) error {
	for _, code := range []setops.Code{
		setops.OrganizationDoesNotExist, setops.ProjectDoesNotExist, setops.StageDoesNotExist, setops.CodeInsufficientPrivileges,
	} {
		if setops.IsCode(err, code) {
			return registry.Denied("%s", err)
		}
	}
	return err
}

// registryImages lets staging look images up.
type registryImages struct {
	*registry.Registry
	prepares *preparer
}

// Tag gives a tag that names the image, one that says more than "latest" where there is one.
func (i registryImages) Tag(ctx context.Context, repository, digest string) (string, error) {
	tags, err := i.TagsOf(ctx, repository, digest)
	if err != nil || len(tags) == 0 {
		return "", err
	}
	slices.Sort(tags)
	if k := slices.IndexFunc(tags, func(t string) bool { return t != "latest" }); k >= 0 {
		return tags[k], nil
	}
	return tags[0], nil
}

func (i registryImages) Prepare(image engine.Image) {
	if i.prepares != nil { // a server that stands by has no tasks
		i.prepares.add(image)
	}
}

// preparer unpacks images of staged releases behind the answer, one at a time, so that their commits need not wait.
type preparer struct {
	engine engine.Images
	log    *slog.Logger
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	turn   chan struct{}
}

func newPreparer(e engine.Images, log *slog.Logger) *preparer {
	p := &preparer{engine: e, log: log, turn: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

func (p *preparer) add(image engine.Image) {
	p.wg.Go(func() {
		select {
		case p.turn <- struct{}{}:
			defer func() { <-p.turn }()
		case <-p.ctx.Done():
			return
		}
		// What is wrong with the image is said by the commit that needs it.
		if err := p.engine.Prepare(p.ctx, image); err != nil && p.ctx.Err() == nil {
			p.log.Info("image of a staged release could not be prepared", "repository", image.Repository, "digest", image.Digest, "error", err)
		}
	})
}

func (p *preparer) Close() error {
	p.cancel()
	p.wg.Wait()
	return nil
}
