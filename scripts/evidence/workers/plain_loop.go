// A plain loop of franz-go, as its users write it: see plain_loop.py.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	topic, partitions, read := os.Args[2], strings.Split(os.Args[3], ","), os.Args[5]
	wanted, _ := strconv.Atoi(os.Args[4])
	client, err := kgo.NewClient(kgo.SeedBrokers(os.Args[1]))
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := client.Ping(ctx); err != nil {
		panic(err)
	}
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
	offsets := map[int32]kgo.Offset{}
	for _, text := range partitions {
		partition, _ := strconv.Atoi(text)
		offsets[int32(partition)] = kgo.NewOffset().At(0)
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: offsets})
	most := 1000
	if read == "poll" {
		most = 1
	}
	count, size := 0, 0
	for count < wanted {
		fetches := client.PollRecords(ctx, most)
		if errs := fetches.Errors(); len(errs) > 0 {
			panic(errs[0].Err)
		}
		fetches.EachRecord(func(record *kgo.Record) {
			count++
			size += len(record.Value)
		})
	}
	fmt.Println(count)
}
