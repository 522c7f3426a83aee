package changeset

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/setopsco/setops/internal/cli/kit"
	"github.com/setopsco/setops/pkg/client"
)

func TestACommitThatIsNotWatchedAnyMoreCanBeFoundAgain(t *testing.T) {
	ref := client.StageRef{ProjectRef: client.ProjectRef{Organization: "demo", Project: "shop"}, Stage: "production"}
	const next = " `setops -p shop -s production changeset:attach c0ffee` shows how it goes on, `setops -p shop -s production changeset:cancel c0ffee` stops it."
	for _, c := range []struct {
		err  error
		want string
		code int
	}{
		{context.Canceled, "Interrupted; the commit goes on in the server." + next, kit.ExitInterrupted},
		{
			fmt.Errorf("watch: %w", &client.ConnectionError{Address: "http://SERVER"}),
			"The connection to http://SERVER was lost and could not be made again; the commit goes on in the server." + next, 0,
		},
	} {
		var f *kit.Failure
		if err := detached(ref, "c0ffee", c.err); !errors.As(err, &f) || f.Error() != c.want || f.Code != c.code || !errors.Is(err, c.err) {
			t.Errorf("%v is told as %v", c.err, err)
		}
	}
	refused := errors.New("there is no stage production")
	if err := detached(ref, "c0ffee", refused); !errors.Is(err, refused) || err.Error() != refused.Error() {
		t.Errorf("what the server says becomes %v", err)
	}
}
