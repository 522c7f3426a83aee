package client

import (
	"testing"

	"github.com/setopsco/setops/pkg/api"
)

func TestWhoeverDoesNotQueueIsToldAtOnce(t *testing.T) {
	running := &api.ServiceError{Code: "CommitAlreadyRunning", Temporary: true, RequestID: "abcd1234"}
	overload := &api.ServiceError{Code: "Overload", Temporary: true, RequestID: "abcd1234"}
	commit := call{method: "POST", key: "k", in: api.StartCommit{NoQueue: true}}
	if commit.bears(running) || !commit.bears(overload) {
		t.Error("a commit that does not queue is sent again behind another, or not where the server is busy")
	}
	commit.in = api.StartCommit{}
	if !commit.bears(running) {
		t.Error("a commit that queues is not sent again")
	}
}
