package changeset_test

import (
	"testing"

	"github.com/setopsco/setops/internal/changeset"
)

func TestAListIsCountedAsItIsRead(t *testing.T) {
	for _, commands := range [][]changeset.Command{nil, {&changeset.AppCreate{AppName: "web"}}, {&changeset.AppCreate{AppName: "web"}, &changeset.AppDestroy{AppName: "web"}}} {
		text, err := changeset.EncodeList(commands)
		if err != nil {
			t.Fatal(err)
		}
		read, err := changeset.DecodeList(text)
		if err != nil || len(read) != len(commands) {
			t.Errorf("%s: %v, %v", text, read, err)
		}
		if n, err := changeset.CountList(text); err != nil || n != len(commands) {
			t.Errorf("%s: %d, %v", text, n, err)
		}
	}
	if _, err := changeset.CountList([]byte(`{`)); err == nil {
		t.Error("half a text is counted")
	}
}
