package define

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/seal"
	"github.com/setopsco/setops/internal/setops"
)

// Request is what to apply.
type Request struct {
	Text    []byte            // the definition; empty: the stage as it is, with Images
	File    string            // its name, for messages
	Images  map[string]string // a tag or a digest by app, in place of those of the definition
	Secrets map[string]string // what references stand for, by name
	Force   bool              // destroy all apps of the stage where the definition has none
	Preview bool              // stage nothing; numbers of new releases are guesses then
}

// Applied is what was staged, or would be, and the states of the stage that it lies between. Without commands the stage is
// already what it shall be, and nothing was staged.
type Applied struct {
	Commands      []changeset.Command
	Before, After setops.Spec
}

// Apply stages the commands by which a stage becomes what a definition says, as a new changeset. One of an earlier application of
// the same user gives way. Errors: ValidationFailed and CodeCurrentlyNotSupported with what is wrong in the file and where;
// ChangesetInvalid where other commands are staged, or all apps would be destroyed; ChangesetLocked (temporary) where somebody
// commits just now; temporary where DNS did not answer.
func (s *Service) Apply(ctx context.Context, stage setops.StageRef, user setops.User, r Request,
	receipt idempotency.Receipt[Applied],
) (Applied, error) {
	open, ok, err := s.Store.Changeset(ctx, stage.ID, user.ID)
	if err != nil {
		return Applied{}, err
	}
	if ok && open.AppliedTo == nil {
		return Applied{}, changeset.StagedBesides(len(open.Commands))
	}
	version, err := s.Store.Version(ctx, stage.ID) // before the spec: what changes in between is noticed
	if err != nil {
		return Applied{}, err
	}
	a := application{service: s, stage: stage, user: user}
	if a.before, err = s.Store.Spec(ctx, stage.ID); err != nil {
		return Applied{}, err
	}
	if err := a.read(ctx, r); err != nil {
		return Applied{}, err
	}
	done, err := a.commands(a.guess)
	if err == nil {
		err = a.admit(ctx, done.Commands)
	}
	if err != nil || len(done.Commands) == 0 || r.Preview {
		return done, err
	}
	fresh := changeset.Changeset{ID: s.NewID(), StageID: stage.ID, UserID: user.ID, CreatedAt: s.Now(), AppliedTo: &version}
	return a.stageAll(ctx, fresh, receipt)
}

// application is one call of Apply.
type application struct {
	service *Service
	stage   setops.StageRef
	user    setops.User
	before  setops.Spec
	target  setops.Spec // but for images
	doc     *definition.Document
	images  map[string]image
}

// read finds out what the stage shall be.
func (a *application) read(ctx context.Context, r Request) (err error) {
	a.doc, a.target = &definition.Document{File: r.File}, a.before.Clone()
	if len(r.Text) > 0 {
		if a.doc, err = definition.Parse(r.File, r.Text); err != nil {
			return err
		}
		in := definition.Inputs{Stage: a.stage, Secrets: r.Secrets, Seal: func(app, key, value string) setops.Sealed {
			return a.service.Box.Seal(seal.EnvPurpose(a.stage.ID, app, key), value)
		}}
		if a.target, err = a.doc.Target(a.before, in); err != nil {
			return err
		}
	}
	if len(a.target.Apps) == 0 && len(a.before.Apps) > 0 && !r.Force {
		return setops.Refuse(setops.ChangesetInvalid,
			"the definition has no apps, so all %d of the stage would be destroyed; add --force if that is meant", len(a.before.Apps))
	}
	if _, err := a.commands(a.guess); err != nil { // before images are looked up, which may take long
		return err
	}
	return a.resolve(ctx, r.Images)
}

// commands gives what is to be staged; reserve gives the number of a new release of an app.
func (a *application) commands(reserve func(app string) (int, error)) (Applied, error) {
	target := a.target.Clone()
	for _, name := range slices.Sorted(maps.Keys(a.images)) {
		image := a.images[name]
		err := definition.Activate(target.Apps[name], image.Image, func() (setops.Release, error) {
			id, err := reserve(name)
			return setops.Release{ID: id, Tag: image.pushed, CreatedAt: a.service.Now().UTC(), CreatedBy: a.user.Email}, err
		})
		if err != nil {
			return Applied{}, err
		}
	}
	commands, after, err := a.doc.Commands(a.before, target)
	if err == nil && len(commands) > changeset.MaxCommands {
		err = setops.Refuse(setops.ChangesetInvalid, "the definition makes %d commands, and a changeset has at most %d; apply it app by app", len(commands), changeset.MaxCommands)
	}
	return Applied{Commands: commands, Before: a.before, After: after}, err
}

// guess is the number that the next release of an app has, unless somebody has staged another one.
func (a *application) guess(app string) (int, error) {
	highest := 0
	if was := a.before.Apps[app]; was != nil {
		for _, r := range was.Releases {
			highest = max(highest, r.ID)
		}
	}
	return highest + 1, nil
}

// admit asks about what commands alone do not tell, and says where in the file it stands.
func (a *application) admit(ctx context.Context, commands []changeset.Command) error {
	for i, c := range commands {
		err := a.service.Admit(ctx, a.stage, c)
		var known *setops.Error
		if errors.As(err, &known) && !known.Temporary {
			return a.doc.Refusal(changeset.Problem{Index: i, Command: c, Err: known})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// stageAll opens the changeset. The commands are made again, with numbers of releases that are reserved.
func (a *application) stageAll(ctx context.Context, fresh changeset.Changeset, receipt idempotency.Receipt[Applied]) (done Applied, err error) {
	decide := func(_ setops.Spec, _ []changeset.Command, reserve func(string) (int, error)) ([]changeset.Command, error) {
		var err error
		done, err = a.commands(reserve)
		return done.Commands, err
	}
	err = a.service.Store.StageDefinition(ctx, fresh, decide, idempotency.Receipt[[]changeset.Command]{
		Request: receipt.Request, Answer: func([]changeset.Command) any { return receipt.Answer(done) },
	})
	if err != nil {
		return Applied{}, err
	}
	for name, image := range a.images {
		a.service.Images.Prepare(engine.Image{Repository: engine.Repository(a.stage, name), Digest: image.Digest})
	}
	return done, nil
}
