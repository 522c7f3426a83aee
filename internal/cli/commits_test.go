package cli_test

import (
	"slices"
	"strings"
	"testing"
)

func (s *session) at(stage string, args ...string) result {
	return s.run(append([]string{"-p", "shop", "-s", stage}, args...)...)
}

func TestACommitIsAskedForAsItsFlagsSay(t *testing.T) {
	s := newSession(t)
	for _, c := range []struct {
		flags, sent string
	}{
		{"", `{}`},
		{"-m Prices", `{"message":"Prices"}`},
		{"--message=Prices --plan 5d41", `{"message":"Prices","plan":"5d41"}`},
		{"--wait-timeout 1h30m", `{"wait_timeout":5400}`},
		{"--wait-timeout 1.2s --detached", `{"wait_timeout":2}`},
	} {
		s.at("production", append([]string{"changeset:commit"}, strings.Fields(c.flags)...)...).want(t, 0)
		if got := s.server.last(t, "POST").body; got != c.sent {
			t.Errorf("%q sent %s, want %s", c.flags, got, c.sent)
		}
	}
}

func TestACommitThatShallNotQueueIsAskedForOnce(t *testing.T) {
	s := newSession(t)
	s.at("production", "changeset:commit", "--no-queue").want(t, 1, "runs on this stage", "--no-queue")
	if sent := s.server.sent(); len(sent) != 1 || sent[0].body != `{"no_queue":true}` {
		t.Errorf("sent %v", sent)
	}
}

// watched are the commits whose events were asked for, in order, by the ends of their ids.
func (s *session) watched() []string {
	var ids []string
	for _, r := range s.server.sent() {
		if rest, events := strings.CutSuffix(r.line, "/events"); events {
			ids = append(ids, rest[strings.LastIndex(rest, "/")+1:])
		}
	}
	return ids
}

func TestWithoutAnIDOnesNewestCommitIsAttachedToElseTheOneThatRuns(t *testing.T) {
	for stage, want := range map[string]string{"production": commitA, "others": commitB, "queued": "c0ffee"} {
		s := newSession(t)
		s.at(stage, "changeset:attach").want(t, 0)
		if got := s.server.last(t, "GET").line; !strings.Contains(got, "/commits/"+want) {
			t.Errorf("on stage %s attached to %s, want %s", stage, got, want)
		}
	}
}

func TestAllCommitsOfAStageAreWaitedForInTheirOrder(t *testing.T) {
	s := newSession(t)
	s.at("lined", "changeset:wait").want(t, 0)
	if want := []string{commitB, commitE}; !slices.Equal(s.watched(), want) {
		t.Errorf("waited for %v, want %v", s.watched(), want)
	}
}

func TestTheBeginningOfAnIDIsWatchedAsTheWholeOne(t *testing.T) {
	s := newSession(t)
	s.at("queued", "changeset:attach", "7a3de9").want(t, 0, "Waiting for 1 other commit…")
	if want := []string{commitB}; !slices.Equal(s.watched(), want) {
		t.Errorf("watched %v, want %v", s.watched(), want)
	}
}

func TestCommitsAreCompletedWithTheirMessages(t *testing.T) {
	s := newSession(t)
	for command, want := range map[string]string{
		"changeset:show":   commitA + "\tPrices\n5b01a061c0ffee\n" + commitB + "\naa01a061c0ffee11\n" + commitD + "\tSearch in all languages",
		"changeset:attach": commitA + "\tPrices\n5b01a061c0ffee\n" + commitB + "\n:4\n",
		"changeset:revert": commitE + "\tTake \\x1b[31mit back\n" + commitC + "\n:4\n",
		"changeset:remove": ":4\n",
	} {
		if got := s.run("__complete", command, "-p", "shop", "-s", "production", "").stdout; !strings.HasPrefix(got, want) {
			t.Errorf("%s proposes %q, want %q", command, got, want)
		}
	}
}

func TestARevertSaysHowFarItGoes(t *testing.T) {
	s := newSession(t)
	s.at("production", "changeset:revert", "41d8", "--to", "--force").want(t, 0, "Review it", "changeset:commit")
	if got := s.server.last(t, "POST").body; got != `{"to":true,"force":true}` {
		t.Errorf("sent %s", got)
	}
}
