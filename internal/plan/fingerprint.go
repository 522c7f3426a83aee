package plan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/setopsco/setops/internal/setops"
)

// identity is what tasks are made from: a change of any of it needs new tasks, a change of anything else does not
// (scale, public, domains and checks never do). The rule: architecture, "Generations".
type identity struct {
	Release                   int                      `json:"release"`
	Digest                    string                   `json:"digest"`
	Command                   []string                 `json:"command"`
	Entrypoint                []string                 `json:"entrypoint"`
	Env                       map[string]setops.Sealed `json:"env"`
	CPU, Memory               int
	Port                      int
	Protocol                  setops.Protocol
	StartTimeout, StopTimeout int
}

// Fingerprint is equal for two states of an app exactly when tasks of one can serve the other. It is an HMAC-SHA256 in
// hexadecimal, so that nothing can be learnt from it about the environment.
func Fingerprint(key []byte, app *setops.App) string {
	release, _ := app.Release(app.ActiveRelease)
	text, err := json.Marshal(identity{
		Release: app.ActiveRelease, Digest: release.Digest,
		Command: app.Container.Command, Entrypoint: app.Container.Entrypoint, Env: values(app.Env),
		CPU: app.Resources.CPU, Memory: app.Resources.Memory, Port: app.Network.Port, Protocol: app.Network.Protocol,
		StartTimeout: app.Container.StartTimeout, StopTimeout: app.Container.StopTimeout,
	})
	if err != nil {
		panic("plan: an identity of strings and numbers cannot be encoded: " + err.Error())
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}
