// Package staging puts commands into changesets: it seals what is secret, checks every command against what the stage is
// and what is staged already, reserves release ids, and looks digests up in the registry. Making them live is the affair
// of package commit.
package staging

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
)

// Store is what staging needs of the store.
type Store interface {
	AppendCommands(ctx context.Context, stageID, userID, newID string, now time.Time, decide changeset.Decide,
		receipt idempotency.Receipt[[]changeset.Command]) error
	Changeset(ctx context.Context, stageID, userID string) (changeset.Changeset, bool, error)
	Discard(ctx context.Context, stageID, userID string, now time.Time, receipt idempotency.Receipt[int]) (n int, ok bool, err error)
	RemoveCommand(ctx context.Context, stageID, userID string, position int, now time.Time,
		receipt idempotency.Receipt[changeset.Staged]) (changeset.Staged, error)
}

// Images looks digests up.
type Images interface {
	// Exists reports whether the repository has the image; tag is one that names it, if any does.
	Exists(ctx context.Context, repository, digest string) (bool, error)
	Tag(ctx context.Context, repository, digest string) (string, error)
	// Digest gives the image that a tag names now.
	Digest(ctx context.Context, repository, tag string) (digest string, ok bool, err error)
	// Prepare brings the image to where tasks start, behind the answer: a commit is quicker then.
	Prepare(image engine.Image)
}

// Domains knows of domains what a stage does not.
type Domains interface {
	// Admit refuses a command for what only the server knows. It may ask DNS, and take some seconds.
	Admit(ctx context.Context, stage setops.StageRef, c changeset.Command) error
}

// Service does it.
type Service struct {
	Store   Store
	Images  Images
	Domains Domains
	Box     *seal.Box
	NewID   func() string
	Now     func() time.Time
}

// Request is a command as it comes in: values of env are in clear.
type Request struct {
	Name      string
	Arguments json.RawMessage
}

// Result is a staged command, its app as all that was staged before leaves it, and as it will be.
type Result struct {
	Command changeset.Command
	Before  *setops.App // nil before app:create
	App     *setops.App // nil after app:destroy
}

// Stage stages all of the requests or none. Errors: ValidationFailed and what changeset.Fold says of a command; with
// several requests the fields are named commands[i].field.
func (s *Service) Stage(ctx context.Context, stage setops.StageRef, user setops.User, requests []Request,
	receipt idempotency.Receipt[[]Result],
) ([]Result, error) {
	add := make([]changeset.Command, len(requests))
	for i, r := range requests {
		c, err := s.decode(stage, r)
		if err != nil {
			return nil, within(err, i, len(requests))
		}
		add[i] = c
	}
	admitted, err := s.admit(ctx, stage, add)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(add))
	decide := func(committed setops.Spec, staged []changeset.Command, reserve func(string) (int, error)) ([]changeset.Command, error) {
		b := batch{stage: stage, user: user, commands: add, refusals: admitted, reserve: reserve}
		return add, s.decide(ctx, b, committed, staged, results)
	}
	signed := idempotency.Receipt[[]changeset.Command]{
		Request: receipt.Request, Answer: func([]changeset.Command) any { return receipt.Answer(results) },
	}
	if err := s.Store.AppendCommands(ctx, stage.ID, user.ID, s.NewID(), s.Now(), decide, signed); err != nil {
		return nil, err
	}
	for _, c := range add {
		if r, ok := c.(*changeset.ReleaseCreate); ok {
			s.Images.Prepare(engine.Image{Repository: engine.Repository(stage, r.AppName), Digest: r.Digest})
		}
	}
	return results, nil
}

func (s *Service) decode(stage setops.StageRef, r Request) (changeset.Command, error) {
	c, err := changeset.Decode(r.Name, r.Arguments)
	if e, ok := c.(*changeset.EnvSet); ok && err == nil {
		if err := setops.InvalidInput(setops.ValidationFailed, setops.CheckEnvValue(e.Key, string(e.Value))); err != nil {
			return nil, err
		}
		e.Value = s.Box.Seal(seal.EnvPurpose(stage.ID, e.AppName, e.Key), string(e.Value))
	}
	return c, err
}

// admit asks about domains before the store is locked, since DNS may be slow. A refusal waits for Fold, which may have a
// better one; behind it nothing is asked any more.
func (s *Service) admit(ctx context.Context, stage setops.StageRef, commands []changeset.Command) (refusals map[int]error, err error) {
	for i, c := range commands {
		err := s.Domains.Admit(ctx, stage, c)
		if known := (*setops.Error)(nil); errors.As(err, &known) {
			return map[int]error{i: known}, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// batch is what is staged together.
type batch struct {
	stage    setops.StageRef
	user     setops.User
	commands []changeset.Command
	refusals map[int]error // of commands that fold
	reserve  func(app string) (int, error)
}

// decide folds all that is staged with what is new, and fills in the results. What was staged before and does not apply
// any more does not stand in the way here: the commit names it.
func (s *Service) decide(ctx context.Context, b batch, committed setops.Spec, staged []changeset.Command, results []Result) error {
	if len(staged)+len(b.commands) > changeset.MaxCommands {
		return setops.Refuse(setops.ChangesetInvalid, "a changeset has at most %d commands; commit or discard it first", changeset.MaxCommands)
	}
	spec, _ := changeset.Fold(committed, staged)
	for i, c := range b.commands {
		results[i] = Result{Command: c, Before: spec.Apps[c.App()]}
		after, err := s.add(ctx, b, spec, c)
		if err == nil {
			err = b.refusals[i]
		}
		if err != nil {
			return within(err, i, len(b.commands))
		}
		spec = after
	}
	for i, c := range b.commands {
		results[i].App = spec.Apps[c.App()]
	}
	return nil
}

// add folds one command.
func (s *Service) add(ctx context.Context, b batch, spec setops.Spec, c changeset.Command) (setops.Spec, error) {
	if r, ok := c.(*changeset.ReleaseCreate); ok {
		if err := s.complete(ctx, b.stage, b.user, spec, r, b.reserve); err != nil {
			return spec, err
		}
	}
	after, problems := changeset.Fold(spec, []changeset.Command{c})
	if len(problems) > 0 {
		return spec, problems[0].Err
	}
	return after, nil
}

// complete fills in what a release gets when it is staged: it is known to be an image of the app, and has its number.
func (s *Service) complete(ctx context.Context, stage setops.StageRef, user setops.User, spec setops.Spec,
	r *changeset.ReleaseCreate, reserve func(string) (int, error),
) error {
	app := spec.Apps[r.AppName]
	if app == nil || setops.CheckDigest(r.Digest) != nil {
		return nil // Fold says it better
	}
	repository := engine.Repository(stage, r.AppName)
	found := app.Committed
	if found {
		var err error
		if found, err = s.Images.Exists(ctx, repository, r.Digest); err != nil {
			return fmt.Errorf("look up image %s in %s: %w", r.Digest, repository, err)
		}
	}
	if !found {
		return setops.InvalidInput(setops.ValidationFailed, []setops.Violation{{
			Field: "release_digest", Validator: setops.ReleaseDigestDoesNotExist,
			Message: fmt.Sprintf("there is no image %s in %s; push it there first", r.Digest, repository),
		}})
	}
	tag, err := s.Images.Tag(ctx, repository, r.Digest)
	if err != nil {
		return fmt.Errorf("look up tags of image %s in %s: %w", r.Digest, repository, err)
	}
	r.Tag, r.CreatedAt, r.CreatedBy = tag, s.Now().UTC(), user.Email
	r.ID, err = reserve(r.AppName)
	return err
}

// within names the command of a list that an error is about.
func within(err error, i, of int) error {
	var e *setops.Error
	if of == 1 || !errors.As(err, &e) {
		return err
	}
	named := *e
	named.Violations = make([]setops.Violation, len(e.Violations))
	for k, v := range e.Violations {
		v.Field = fmt.Sprintf("commands[%d].%s", i, v.Field)
		named.Violations[k] = v
	}
	if e.Message != "" {
		named.Message = fmt.Sprintf("command %d: %s", i+1, strings.TrimSpace(e.Message))
	}
	return &named
}

// Changeset gives what a user has staged. Errors: ChangesetDoesNotExist.
func (s *Service) Changeset(ctx context.Context, stage setops.StageRef, user setops.User) (changeset.Changeset, error) {
	c, ok, err := s.Store.Changeset(ctx, stage.ID, user.ID)
	if err == nil && !ok {
		err = nothingStaged()
	}
	return c, err
}

// Discard drops what a user has staged. Errors: ChangesetDoesNotExist.
func (s *Service) Discard(ctx context.Context, stage setops.StageRef, user setops.User, receipt idempotency.Receipt[int]) (int, error) {
	n, ok, err := s.Store.Discard(ctx, stage.ID, user.ID, s.Now(), receipt)
	if err == nil && !ok {
		err = nothingStaged()
	}
	return n, err
}

func nothingStaged() error {
	return setops.Refuse(setops.ChangesetDoesNotExist, "you have staged nothing on this stage")
}
