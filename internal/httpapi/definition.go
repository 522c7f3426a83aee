package httpapi

import (
	"context"
	"net/http"

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
	Body api.ApplyDefinition
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
	kept := receipt(r, func(done define.Applied) api.AppliedDefinition { // without values of env: a receipt holds no secret
		wire, _ := s.wireApplied(ref, done, plan.Plan{}, true) // only to open them can fail
		return wire
	})
	done, err := s.Definitions.Apply(ctx, ref, u, define.Request{
		Text: []byte(in.Body.Definition), File: in.Body.File, Images: in.Body.ImageTags, Secrets: in.Body.Secrets,
		Force: in.Body.Force, Preview: in.Body.Preview,
	}, kept)
	if err != nil {
		return nil, err
	}
	var restarts plan.Plan
	if len(done.Commands) > 0 {
		p, err := s.Commits.PreviewOf(ctx, ref, done.Commands)
		if err != nil { // it is staged all the same; only what restarts is not known
			s.Logger.Warn("plan a definition", "request", requestID(ctx), "error", err)
		}
		restarts = p.Plan
	}
	wire, err := s.wireApplied(ref, done, restarts, false)
	return answered(wire), err
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
