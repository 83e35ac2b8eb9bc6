// Command encoder tokenizes texts as often as it is told, for speed.py to measure.
//
// usage: encoder tokenizer.json texts.json
//
// Each line of standard input is a way (`fast`: ids, as for an embedding; `encode`: with offsets) and how often all texts
// are to be encoded so; each line of the answer says how many tokens that gave.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/paceline/paceline/internal/token"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: encoder tokenizer.json texts.json")
	}
	tokenizer, texts, err := open(os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(tokenizer, texts); err != nil {
		log.Fatal(err)
	}
}

func open(tokenizerPath, textsPath string) (tokenizer *token.Tokenizer, texts []string, err error) {
	file, err := os.ReadFile(tokenizerPath)
	if err != nil {
		return nil, nil, err
	}
	if tokenizer, err = token.Parse(file); err != nil {
		return nil, nil, err
	}
	if file, err = os.ReadFile(textsPath); err != nil {
		return nil, nil, err
	}
	return tokenizer, texts, json.Unmarshal(file, &texts)
}

func serve(tokenizer *token.Tokenizer, texts []string) error {
	for {
		var way string
		var times int
		if _, err := fmt.Scanln(&way, &times); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		tokens := 0
		for range times {
			for _, text := range texts {
				tokens += len(tokenizer.Encode(text, token.Options{Special: true, Offsets: way == "encode"}).IDs)
			}
		}
		fmt.Println(tokens)
	}
}
