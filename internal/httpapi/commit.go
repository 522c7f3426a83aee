package httpapi

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/commit"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
	"github.com/setopsco/setops/pkg/api"
)

// OneCommit is a request about a commit.
type OneCommit struct {
	InStage
	ID string `path:"id" maxLength:"64" doc:"A commit's id, or a unique beginning of it"`
}

type commitToStart struct {
	InStage
	Changing
	Body *api.StartCommit
}

type commitToCancel struct {
	OneCommit
	Changing
}

type commitPage struct {
	InStage
	Limit  int    `query:"limit" default:"25" minimum:"1" maximum:"1000" doc:"The newest so many"`
	Before string `query:"before" maxLength:"64" doc:"Only commits older than this one"`
}

type commitList struct {
	Commits []api.CommitSummary `json:"commits"`
}

type commitEvents struct {
	OneCommit
	LastEventID string `header:"Last-Event-ID" doc:"The id of the last event that was seen: the stream goes on behind it"`
}

func (s *Server) startCommit(ctx context.Context, r idempotency.Request, in *commitToStart) (*answer[api.Commit], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	asked := commit.Request{ID: r.NewID, Events: r.Events(nil)}
	if b := in.Body; b != nil {
		asked.Message, asked.Plan, asked.NoQueue, asked.Wait = b.Message, b.Plan, b.NoQueue, time.Duration(b.WaitTimeout)*time.Second
	}
	c, err := s.Commits.Start(ctx, ref, u, asked)
	if err != nil {
		return nil, err
	}
	return answered(wireCommit(c)), nil
}

func (s *Server) listCommits(ctx context.Context, in *commitPage) (*answer[commitList], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	all, err := s.History.Commits(ctx, ref, in.Before, in.Limit)
	list := commitList{Commits: make([]api.CommitSummary, 0, len(all))}
	for _, c := range all {
		list.Commits = append(list.Commits, summaryOf(c, u))
	}
	return answered(list), err
}

func (s *Server) showCommit(ctx context.Context, in *OneCommit) (*answer[api.Commit], error) {
	_, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	c, err := s.Commits.Commit(ctx, ref.ID, in.ID)
	if err != nil {
		return nil, err
	}
	return answered(wireCommit(c)), nil
}

func (s *Server) cancelCommit(ctx context.Context, _ idempotency.Request, in *commitToCancel) (*answer[api.Commit], error) {
	u, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	c, err := s.Commits.Cancel(ctx, ref, u, in.ID)
	if err != nil {
		return nil, err
	}
	return answered(wireCommit(c)), nil
}

func (s *Server) watchCommit(ctx context.Context, in *commitEvents) (*huma.StreamResponse, error) {
	_, ref, err := s.stage(ctx, in.InStage)
	if err != nil {
		return nil, err
	}
	c, err := s.Commits.Commit(ctx, ref.ID, in.ID)
	if err != nil {
		return nil, err
	}
	last, _ := strconv.Atoi(in.LastEventID) // what is no number of ours begins anew
	return s.events(func(ctx context.Context, send sender) {
		err := s.Commits.Watch(ctx, ref.ID, c.ID, last, func(p commit.Progress) bool {
			return send("progress", strconv.Itoa(p.Number()), s.progress(ctx, c, p))
		})
		if err != nil && ctx.Err() == nil {
			s.Logger.Debug("watch commit", "commit", c.ID, "error", err)
		}
	}), nil
}

// progress is an event of a commit; the last one has the commit with it, so that nobody has to ask for that. Where it cannot be
// read, who needs it asks.
func (s *Server) progress(ctx context.Context, c changeset.Commit, p commit.Progress) api.Progress {
	wire := wireProgress(p)
	if !p.State.Ended() {
		return wire
	}
	if ended, err := s.Commits.Commit(ctx, c.StageID, c.ID); err == nil && ended.State.Ended() {
		wire.Commit = new(wireCommit(ended))
	}
	return wire
}

func wireProgress(p commit.Progress) api.Progress {
	return api.Progress{
		State: string(p.State), Phase: string(p.Phase), Done: p.Done, Total: p.Total, Ahead: p.Ahead, TaskID: p.Task, Failure: wireFailure(p.Failure),
	}
}

func wireCommit(c changeset.Commit) api.Commit {
	return api.Commit{
		ID: c.ID, State: string(c.State), Phase: string(c.Phase), Done: c.Done, Total: c.Total, Ahead: c.Ahead, Passed: c.Passed,
		Message: c.Message, Version: c.Version, Reverts: c.Reverts, Definition: c.Changeset.AppliedTo != nil, Deploy: c.Unstaged, Cancelled: c.Cancelled,
		CreatedAt: c.CreatedAt, CreatedBy: c.UserEmail, StartedAt: instant(c.StartedAt), FinishedAt: instant(c.FinishedAt),
		Changeset: wireChangeset(c.Changeset), Failure: wireFailure(c.Failure),
	}
}

func summaryOf(c changeset.Commit, reader setops.User) api.CommitSummary {
	wire := api.CommitSummary{
		ID: c.ID, State: string(c.State), Message: c.Message, Version: c.Version, Reverts: c.Reverts, CreatedAt: c.CreatedAt,
		CreatedBy: c.UserEmail, FinishedAt: instant(c.FinishedAt), Commands: c.Commands, Mine: c.UserEmail == reader.Email,
	}
	if c.Failure != nil {
		wire.Code = c.Failure.Code
	}
	return wire
}

// instant is nil for a time that has not come.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func wireFailure(f *changeset.Failure) *api.Failure {
	if f == nil {
		return nil
	}
	wire := &api.Failure{
		Code: f.Code, Message: f.Message, Temporary: f.Temporary, Step: f.Step, App: f.App, Release: f.Release, TaskID: f.TaskID,
		Check: f.Check, LastAnswer: (*api.LastAnswer)(f.LastAnswer), Next: f.Next, Log: f.Log, Dropped: f.Dropped,
	}
	for _, other := range f.Others {
		wire.Others = append(wire.Others, api.OtherFailure(other))
	}
	return wire
}
