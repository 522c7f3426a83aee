package plan

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/setopsco/setops/internal/setops"
)

// seen is all that decides what a plan is: two of the same hash have the same steps, save the names of new generations.
type seen struct {
	Stage    string                `json:"stage"`
	Version  int64                 `json:"version"`
	Serving  map[string]Generation `json:"serving"`
	Running  []string              `json:"running"` // of those that serve: what retires comes to its end by itself
	Network  bool                  `json:"network"`
	Ports    map[string]bool       `json:"ports"`
	Commands json.RawMessage       `json:"commands"`
}

// hashLength is the length of a hash in hexadecimal: 128 bits, which nobody meets by chance.
const hashLength = 32

// Hash is equal for two plans exactly where the stage's version, what was observed and the staged commands are. commands is
// their text as the store has it, which is never shown: the hash is an HMAC-SHA256, so that nothing can be learnt of values.
func Hash(in Input, version int64, commands json.RawMessage) string {
	s := seen{
		Stage: in.Stage.ID, Version: version, Serving: in.Serving, Network: in.Network, Ports: in.Ports, Commands: commands,
		Running: []string{},
	}
	for _, g := range in.Serving {
		if in.Running[g.ID] {
			s.Running = append(s.Running, g.ID)
		}
	}
	slices.Sort(s.Running)
	text, err := json.Marshal(s)
	if err != nil {
		panic("plan: what was seen cannot be encoded: " + err.Error())
	}
	mac := hmac.New(sha256.New, in.Key)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))[:hashLength]
}

// Equal reports whether two states of a stage are the same, releases included.
func Equal(a, b setops.Spec) bool {
	if len(a.Apps) != len(b.Apps) || a.LogRetention != b.LogRetention {
		return false
	}
	for name, app := range a.Apps {
		if other := b.Apps[name]; app != other && (other == nil || !equalApps(app, other)) {
			return false
		}
	}
	return true
}

// equalApps compares what is stored: there is more than one way to have no variables.
func equalApps(a, b *setops.App) bool {
	one, err := json.Marshal(a)
	two, other := json.Marshal(b)
	return err == nil && other == nil && bytes.Equal(one, two) && a.Committed == b.Committed && slices.EqualFunc(a.Releases, b.Releases,
		func(r, q setops.Release) bool { return r.ID == q.ID && r.Digest == q.Digest })
}
