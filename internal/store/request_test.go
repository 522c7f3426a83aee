package store

import (
	"errors"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/changeset"
	"github.com/setopsco/setops/internal/idempotency"
	"github.com/setopsco/setops/internal/setops"
)

func receiptOf[T any](id string) idempotency.Receipt[T] {
	return idempotency.Receipt[T]{
		Request: idempotency.Request{ID: id, UserID: ada.ID, Digest: "digest of " + id}, Answer: func(done T) any { return done },
	}
}

func (s *Store) requests(t *testing.T) (n int) {
	t.Helper()
	must(t, s.read.QueryRowContext(t.Context(), `SELECT count(*) FROM requests`).Scan(&n))
	return n
}

func TestARequestIsRememberedWithWhatItDoesOrNotAtAll(t *testing.T) {
	s, ctx := withStage(t), t.Context()
	add := func(err error) changeset.Decide {
		return func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
			return []changeset.Command{create("web")}, err
		}
	}
	answer := receiptOf[[]changeset.Command]("r-1")
	answer.Answer = func(done []changeset.Command) any { return len(done) }
	broken := errors.New("no")
	if err := s.AppendCommands(ctx, "s-1", ada.ID, "c", now, add(broken), answer); !errors.Is(err, broken) || s.requests(t) != 0 {
		t.Errorf("%v; %d requests are remembered", err, s.requests(t))
	}
	must(t, s.AppendCommands(ctx, "s-1", ada.ID, "c", now, add(nil), answer))
	if digest, text, ok, err := s.Request(ctx, "r-1", now); digest != "digest of r-1" || text != "1" || !ok || err != nil {
		t.Errorf("%s %s %v %v", digest, text, ok, err)
	}
	// Another server, which did not see the first one, does it too.
	refused(t, s.AppendCommands(ctx, "s-1", ada.ID, "c", now, add(nil), answer), setops.Overload)
	if got := staged(t, s, ada); len(got) != 1 {
		t.Errorf("staged %v", got)
	}
	if n, ok, err := s.Discard(ctx, "s-1", ada.ID, now, receiptOf[int]("r-2")); n != 1 || !ok || err != nil {
		t.Errorf("discarded %d, %v, %v", n, ok, err)
	}
	if _, text, ok, err := s.Request(ctx, "r-2", now); text != "1" || !ok || err != nil {
		t.Errorf("%s %v %v", text, ok, err)
	}
	if _, ok, err := s.Discard(ctx, "s-1", ada.ID, now, receiptOf[int]("r-3")); ok || err != nil || s.requests(t) != 2 {
		t.Errorf("%v, %v; %d requests are remembered", ok, err, s.requests(t))
	}
}

func TestRemovingACommandAndRevertingLeaveReceiptsToo(t *testing.T) {
	s, ctx := withStage(t), t.Context()
	stage(t, s, ada, create("web"), create("worker"))
	removal := receiptOf[changeset.Staged]("r-1")
	removal.Answer = func(was changeset.Staged) any { return len(was.Commands) }
	_, err := s.RemoveCommand(ctx, "s-1", ada.ID, 2, now, removal)
	refused(t, err, setops.ValidationFailed)
	if was, err := s.RemoveCommand(ctx, "s-1", ada.ID, 0, now, removal); err != nil || len(was.Commands) != 2 || was.Committed.Apps["web"] != nil {
		t.Errorf("%+v, %v", was, err)
	}
	_, err = s.RemoveCommand(ctx, "s-1", ada.ID, 0, now, removal)
	refused(t, err, setops.Overload)
	if got := staged(t, s, ada); len(got) != 1 || got[0] != "app:create worker" {
		t.Errorf("staged %v", got)
	}
	if _, text, ok, err := s.Request(ctx, "r-1", now); text != "2" || !ok || err != nil {
		t.Errorf("%s %v %v", text, ok, err)
	}
	revert := receiptOf[[]changeset.Command]("r-2")
	revert.Answer = func(done []changeset.Command) any { return len(done) }
	fresh := changeset.Changeset{ID: "back", StageID: "s-1", UserID: bob.ID, CreatedAt: now, Reverts: "c-1"}
	decide := func(setops.Spec, []changeset.Command, func(string) (int, error)) ([]changeset.Command, error) {
		return []changeset.Command{create("web")}, nil
	}
	must(t, s.StageRevert(ctx, fresh, decide, revert))
	refused(t, s.StageRevert(ctx, fresh, decide, revert), setops.ChangesetInvalid)
	if _, text, ok, err := s.Request(ctx, "r-2", now); text != "1" || !ok || err != nil || s.requests(t) != 2 {
		t.Errorf("%s %v %v; %d requests are remembered", text, ok, err, s.requests(t))
	}
	fresh.UserID = ada.ID
	refused(t, s.StageRevert(ctx, fresh, decide, receiptOf[[]changeset.Command]("r-3")), setops.ChangesetInvalid)
}

func TestRequestsAreForgottenAfterADay(t *testing.T) {
	s, ctx := withStage(t), t.Context()
	request := func(id string) idempotency.Request { return receiptOf[int](id).Request }
	must(t, s.AddRequest(ctx, request("r-1"), "1", now))
	later := now.Add(idempotency.Life + time.Minute)
	if _, _, ok, err := s.Request(ctx, "r-1", later.Add(-idempotency.Life)); ok || err != nil {
		t.Errorf("an old one is known: %v", err)
	}
	refused(t, s.AddRequest(ctx, request("r-1"), "2", now.Add(time.Minute)), setops.Overload)
	s.swept.Store(millis(later)) // not its turn yet
	must(t, s.AddRequest(ctx, request("r-2"), "2", later))
	must(t, s.AddRequest(ctx, request("r-1"), "3", later))
	if _, text, ok, err := s.Request(ctx, "r-1", later); text != "3" || !ok || err != nil {
		t.Errorf("an old one stands in the way: %s %v %v", text, ok, err)
	}
	must(t, s.AddRequest(ctx, request("r-3"), "4", later.Add(idempotency.Life+time.Minute)))
	if n := s.requests(t); n != 1 {
		t.Errorf("%d requests are there, not the new one alone", n)
	}
}

func TestAnIDOfACommitIsNoOtherRequests(t *testing.T) {
	s := withStage(t)
	stage(t, s, ada, create("web"))
	asked := ticket("c-1", ada)
	c, err := s.Enqueue(t.Context(), asked)
	must(t, err)
	asked.Now = now.Add(idempotency.Life)
	if again, err := s.Enqueue(t.Context(), asked); err != nil || again.ID != c.ID {
		t.Errorf("%+v, %v", again, err)
	}
	late, elsewhere := asked, asked
	late.Now, elsewhere.StageID = now.Add(idempotency.Life+time.Second), "s-2"
	for _, other := range []changeset.Ticket{late, elsewhere, ticket("c-1", bob)} {
		c, err := s.Enqueue(t.Context(), other)
		if refused(t, err, setops.ValidationFailed); c.ID != "" {
			t.Errorf("%+v is told", c)
		}
	}
}
