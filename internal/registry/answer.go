package registry

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"syscall"
)

const (
	sentenceOfFault    = "the registry could not do this; the server's log says why"
	sentenceOfFullDisk = "the server's disk is full and nothing was stored; free some space there, then push again"
	sentenceOfLoss     = "the layer could not be written to where the server keeps images, which may be full"

	// keptOfFault is how much of distribution's own description goes to the log.
	keptOfFault = 4 << 10
)

// errStorage marks refusals that the server's operator must know of.
var errStorage = errors.New("storage fault")

// answerWriter lets every answer of distribution through but those of 500 and
// above. Distribution tells the client the server's file names in these, and
// not that the disk is full.
type answerWriter struct {
	http.ResponseWriter
	// kept says whether what the answer promises is stored; nil: surely.
	kept   func(header http.Header) bool
	lost   bool
	status int
	fault  bytes.Buffer
}

func (a *answerWriter) failed() bool { return a.status >= http.StatusInternalServerError }

func (a *answerWriter) WriteHeader(status int) {
	if a.status != 0 { // distribution sends a second one when a client went away
		return
	}
	a.status = status
	if status == http.StatusAccepted && a.kept != nil && !a.kept(a.Header()) {
		a.status, a.lost = http.StatusInsufficientStorage, true
	}
	if !a.failed() {
		a.ResponseWriter.WriteHeader(a.status)
	}
}

func (a *answerWriter) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	if !a.failed() {
		return a.ResponseWriter.Write(p)
	}
	if room := keptOfFault - a.fault.Len(); room > 0 {
		a.fault.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// Unwrap is for http.ResponseController.
func (a *answerWriter) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// failure is what is known about a writing request that distribution could
// not serve.
type failure struct {
	push *push
	body *limitedBody
}

// answerFailure tells the client what became of its request, and the log why.
func (r *Registry) answerFailure(w http.ResponseWriter, req *http.Request, rt route, f failure, answer *answerWriter) {
	for _, header := range []string{"Location", "Range", "Docker-Upload-Uuid", "Etag"} {
		w.Header().Del(header)
	}
	verdict, final := r.judge(rt, f, answer)
	if final {
		r.dropUpload(req.Context(), rt)
	}
	level := slog.LevelDebug
	if verdict.cause != nil {
		level = slog.LevelError
	}
	r.log.LogAttrs(req.Context(), level, "registry request failed",
		slog.String("repository", rt.repository), slog.String("method", req.Method),
		slog.Int("status", verdict.status), slog.String("reason", verdict.sentence),
		slog.String("detail", answer.fault.String()))
	verdict.send(w)
}

// judge finds the cause of a failure; final says that going on with the same
// upload is useless.
func (r *Registry) judge(rt route, f failure, answer *answerWriter) (verdict refusal, final bool) {
	switch {
	case f.body != nil && f.body.exceeded:
		return *r.tooLarge(), true
	case f.push != nil && r.pushes.wasStopped(f.push):
		return removedRefusal(rt.repository), true
	case f.body != nil && f.body.broken != nil:
		return refusal{
			status: http.StatusBadRequest, code: codeUnknown,
			sentence: "the connection broke before all was received",
		}, false
	case answer.lost:
		return noRoom(sentenceOfLoss), true
	case tellsOfFullDisk(answer.fault.Bytes()):
		return noRoom(sentenceOfFullDisk), true
	default:
		return refusal{
			status: http.StatusInternalServerError, code: codeUnknown,
			sentence: sentenceOfFault, cause: errStorage,
		}, false
	}
}

// noRoom is a 413, "larger than the server is able to process", and not the
// 507 of the books: docker tries for a minute what was answered by a 5xx, and
// then prints its number only.
func noRoom(sentence string) refusal {
	return refusal{
		status: http.StatusRequestEntityTooLarge, code: codeDenied,
		sentence: sentence, cause: errStorage,
		header: http.Header{"Connection": {"close"}},
	}
}

func removedRefusal(repository string) refusal {
	return denied("%s is being removed", repository)
}

// tellsOfFullDisk reads distribution's description of a fault, which is all
// that is left of the error by then.
func tellsOfFullDisk(fault []byte) bool {
	for _, cause := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT} {
		if bytes.Contains(fault, []byte(cause.Error())) {
			return true
		}
	}
	return false
}
