package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/define"
	"github.com/setopsco/setops/internal/definition"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/plan"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

type definitionToApply struct {
	InStage
	Changing
	Commit  bool   `query:"commit" doc:"Commit it at once: the answer has the commit"` // no field of the body: an older server would refuse it
	Message string `query:"message" maxLength:"1000" doc:"What the commit is for, for the history"`
	Body    api.ApplyDefinition
}

func (s *Server) showDefinition(ctx context.Context, in *InStage) (*answer[api.Definition], error) {
	_, ref, err := s.stage(ctx, *in)
	if err != nil {
		return nil, err
	}
	d, err := s.Definitions.Dump(ctx, ref)
	if err != nil {
		return nil, err
	}
	text, err := d.YAML()
	if err != nil {
		return nil, err
	}
	document, err := d.JSON()
	return answered(api.Definition{Text: string(text), Document: document}), err
}

func (s *Server) applyDefinition(ctx context.Context, r idempotency.Request, in *definitionToApply) (*answer[api.AppliedDefinition], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	if in.Commit && !in.Body.Preview {
		return s.commitDefinition(ctx, r, in, u, ref)
	}
	kept := receipt(r, func(done define.Applied) api.AppliedDefinition { return s.repeated(ref, done) })
	done, err := s.Definitions.Apply(ctx, ref, u, wanted(in), kept)
	if err != nil {
		return nil, err
	}
	wire, err := s.wireApplied(ref, done, s.restarts(ctx, ref, done), false)
	return answered(wire), err
}

// commitDefinition stages what a definition says and commits it. The commit's id follows from the request: one that comes again
// after the server died finds it, and where there is none yet, what was staged gives way to what is staged now.
func (s *Server) commitDefinition(ctx context.Context, r idempotency.Request, in *definitionToApply, u setops.User,
	ref setops.StageRef,
) (*answer[api.AppliedDefinition], error) {
	if c, err := s.Commits.Commit(ctx, ref.ID, r.NewID); err == nil {
		return answered(api.AppliedDefinition{Commands: wireCommands(c.Changeset.Commands), Commit: new(wireCommit(c))}), nil
	}
	done, err := s.Definitions.Apply(ctx, ref, u, wanted(in), idempotency.Receipt[define.Applied]{})
	if err != nil {
		return nil, err
	}
	wire, err := s.wireApplied(ref, done, s.restarts(ctx, ref, done), false) // before the commit changes what is compared
	if err != nil || len(done.Commands) == 0 {
		return answered(wire), err
	}
	c, err := s.Commits.Start(ctx, ref, u, commit.Request{ID: r.NewID, Message: in.Message, Events: r.Events(nil)})
	if err != nil {
		return nil, errors.Join(err, s.takeBack(ctx, ref, u))
	}
	wire.Commit = new(wireCommit(c))
	kept := s.repeated(ref, done)
	kept.Commit = wire.Commit
	s.remember(ctx, r, answered(kept))
	return answered(wire), nil
}

// takeBack drops what was staged for a commit that is not.
func (s *Server) takeBack(ctx context.Context, ref setops.StageRef, u setops.User) error {
	_, err := s.Staging.Discard(context.WithoutCancel(ctx), ref, u, idempotency.Receipt[int]{})
	if setops.IsCode(err, setops.ChangesetDoesNotExist) {
		return nil
	}
	return err
}

func wanted(in *definitionToApply) define.Request {
	return define.Request{
		Text: []byte(in.Body.Definition), File: in.Body.File, Images: in.Body.ImageTags, Secrets: in.Body.Secrets,
		Force: in.Body.Force, Preview: in.Body.Preview,
	}
}

// restarts is the plan of what is staged.
func (s *Server) restarts(ctx context.Context, ref setops.StageRef, done define.Applied) plan.Plan {
	if len(done.Commands) == 0 {
		return plan.Plan{}
	}
	p, err := s.Commits.PreviewOf(ctx, ref, done.Commands)
	if err != nil { // it is staged all the same; only what restarts is not known
		s.Logger.Warn("plan a definition", "request", requestID(ctx), "error", err)
	}
	return p.Plan
}

// repeated is the answer to a request that comes again, without values of env: what is remembered holds no secret.
func (s *Server) repeated(ref setops.StageRef, done define.Applied) api.AppliedDefinition {
	wire, _ := s.wireApplied(ref, done, plan.Plan{}, true) // only to open them can fail
	return wire
}

func (s *Server) wireApplied(ref setops.StageRef, done define.Applied, p plan.Plan, hide bool) (api.AppliedDefinition, error) {
	diff, err := s.diff(ref, done.Before, done.After, p, hide)
	return api.AppliedDefinition{Commands: wireCommands(done.Commands), Diff: diff}, err
}

// definitionSchema answers with the JSON Schema of definitions.
func (s *Server) definitionSchema(w http.ResponseWriter, r *http.Request) {
	text, err := definition.Schema()
	if err != nil {
		s.Logger.Error("write schema of definitions", "error", err)
		writeError(w, r, internal())
		return
	}
	w.Header().Set("Content-Type", "application/schema+json")
	w.Write(text)
}
