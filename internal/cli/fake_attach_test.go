package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/coder/websocket"
	"github.com/setopsco/setops/pkg/api"
)

// attached is a program inside a task: it writes what it is, then what it reads with each message in brackets, sizes and the end of
// the input by their names, and ends at that, with the code that its first argument asks for.
func attached(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") == "none" {
		refuse(w, http.StatusNotFound, "TaskDoesNotExist", "app web has no task \"none\"")
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{api.AttachProtocol}})
	if err != nil {
		return
	}
	defer conn.CloseNow() //nolint:errcheck // it is closed
	ctx := r.Context()
	_, first, err := conn.Read(ctx)
	if err != nil {
		return
	}
	say := func(kind byte, text string) {
		_ = conn.Write(ctx, websocket.MessageBinary, append([]byte{kind}, text...))
	}
	var asked api.AttachTask
	_ = json.Unmarshal(first, &asked)
	if asked.Join {
		asked.Arguments = []string{"joined"}
	}
	say(api.AttachOutput, fmt.Sprintf("%v terminal=%t %dx%d\n", asked.Arguments, asked.Terminal, asked.Columns, asked.Rows))
	if !asked.Terminal && asked.Arguments[0] == "false" {
		say(api.AttachErrors, "an error\n")
	}
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		switch text := string(message[1:]); message[0] {
		case api.AttachInput:
			say(api.AttachOutput, fmt.Sprintf("[%q]", text))
			switch text {
			case "cut":
				return
			case "quit":
				endAttached(conn, r, 42)
				return
			}
		case api.AttachResize:
			say(api.AttachOutput, text)
		case api.AttachInputEnd:
			say(api.AttachOutput, "end\n")
			code := 0
			if asked.Arguments[0] == "false" {
				code = 1
			}
			endAttached(conn, r, code)
			return
		}
	}
}

func endAttached(conn *websocket.Conn, r *http.Request, code int) {
	text, _ := json.Marshal(api.AttachEnd{ExitCode: &code})
	_ = conn.Write(r.Context(), websocket.MessageBinary, append([]byte{api.AttachEnded}, text...))
	_ = conn.Close(websocket.StatusNormalClosure, "")
}
