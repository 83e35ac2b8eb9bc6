package main

import (
	"os"
	"time"

	"github.com/paceline/paceline/internal/process"
)

// keepCommand is what this program runs beside itself to end the servers that it
// started, should it be killed. It is for no user.
type keepCommand struct{}

// keeperGrace is short enough that nothing is left ten seconds after a kill.
const keeperGrace = 4 * time.Second

// Run waits for the end of the paceline that started it.
func (keepCommand) Run() error {
	process.Keep(os.Stdin, keeperGrace)
	return nil
}

func startKeeper() (*process.Keeper, error) { return process.StartKeeper(executable(), "keep") }
