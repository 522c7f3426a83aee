package host

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/setopsco/setops/internal/engine/verdict"
)

// reasonUnbegun is why tasks end that a server took on and never started.
const reasonUnbegun = "not started: the server ended before"

// startFailure tells whose fault an error of the runtime is.
func startFailure(err error) *verdict.Failure {
	var start *StartError
	var image *ImageError
	switch {
	case errors.As(err, &start):
		return &verdict.Failure{Check: verdict.CheckStart, Cause: start.Reason, Final: true}
	case errors.As(err, &image):
		return &verdict.Failure{Check: verdict.CheckImage, Cause: image.Reason, Final: true}
	case isFull(err):
		return &verdict.Failure{
			Check: verdict.CheckStart, Cause: fmt.Sprintf("no space left on the server's disk: %v", err), Fault: true, Final: true,
		}
	}
	return &verdict.Failure{Check: verdict.CheckStart, Cause: err.Error(), Fault: true}
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
