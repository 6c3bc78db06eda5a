/* Every option there is, a row each. From the row come the flag's parser, --help, range errors, the checkpoint's key,
 * the JSON key and the README's table; nothing of an option stands in a second place but its use.
 *
 * A row: kind, name, what stands for its value, the value where none is given (NULL: none), the least and the most of a
 * number, what a resumed run may do with it, which verbs take it, help.
 *  - name: batch_size is the member of clt_options and the key in JSON and in checkpoints; the flag is --batch-size. A
 *    FLAG that is "yes" where it is not given has the flag --no-NAME.
 *  - RUN: the option is of this run alone, and not in a checkpoint.
 *  - KEPT: a checkpoint keeps it, and a resumed run may change it.
 *  - RARE: the same, but a checkpoint has it only where it is not the value where none is given: options that came when
 *    there were checkpoints already, which are what they were.
 *  - FIXED: a checkpoint keeps it, and a resumed run may not change it.
 *  - MODEL: the model itself says it, and a resumed run may not change it.
 * kinds.c has the kinds. In a row of the kind CHOICE what stands for the value is the list of what there is. */
#ifndef CLT_OPTIONS_TABLE_H
#define CLT_OPTIONS_TABLE_H

/* clang-format off */
#define CLT__OPTION_TABLE(X) \
    X(TEXT, data, "PATH", NULL, 0, 0, RUN, TRAIN | EVAL | LR_FIND | REPORT | COMPARE, \
      "the data set: a folder of IDX, CIFAR, STL-10, NPY, NPZ or image files, an NPZ, list or CSV file; see the README") \
    X(TEXT, model, "FILE", NULL, 0, 0, RUN, EVAL | PREDICT | VERIFY | EXPORT, "the checkpoint, or an ONNX model") \
    X(CHOICE, layout, "nchw|nhwc", "nchw", 0, 0, RUN, READING, "the order of the images in IDX, NPY and NPZ files; where it is not given and only the last extent can be channels, nhwc") \
    X(TEXT, label_column, "NAME|N", NULL, 0, 0, RUN, READING, \
      "the column of a CSV file that holds the labels: its name in the header, or its number, from 1, or from the end with -1 " \
      "(default: the one that the header calls label, class, target or the like, else the one that looks so, with a note)") \
    X(SIZE, size, "[Cx]HxW", NULL, 0, 0, RUN, READING, \
      "image files are resized to H rows and W columns, and made grey (C 1) or RGB (C 3); CSV rows are read as such images") \
    X(FLAG, transpose, NULL, "no", 0, 0, FIXED, READING, \
      "make rows of the columns of images in IDX, CIFAR, STL-10, NPY, NPZ and CSV files, as EMNIST's need it; eval and predict " \
      "do as training did unless told otherwise") \
    X(FLAG, skip_bad, NULL, "no", 0, 0, RUN, READING, \
      "leave out image files that cannot be decoded, and say how many") \
    X(REAL, eval_crop, "SHARE", "0", 0, 1, KEPT, READING, \
      "of image files that are not cropped at random, take the largest part of the right shape in the middle, times this share: " \
      "0.875 is PyTorch's 224 of 256; 0: all of it, squeezed") \
    X(FLAG, exif, NULL, "yes", 0, 0, KEPT, READING, \
      "leave image files as they are stored, whatever their EXIF orientation says; this and eval-crop eval and predict do as training did " \
      "unless told otherwise") \
    X(COUNT, workers, "N", "0", 0, 1024, RUN, READING, "threads that decode image files; 0: one for each core") \
    X(BYTES, data_cache, "BYTES", NULL, 0, 1e15, RUN, READING, \
      "images decoded from files stay in memory up to this, as in 500M or 4G; the others are decoded again when they are needed " \
      "(default: a quarter of the memory that is free)") \
    X(TEXT, net, "NAME|FILE|TEXT", "lenet5", 0, 0, MODEL, TRAIN | NET | LR_FIND, "the net: see cltrain help nets") \
    X(TEXT, recipe, "NAME|FILE", NULL, 0, 0, RUN, TRAIN | LR_FIND | NET, \
      "a net and the options that go with it, see cltrain help recipes; an option that is given, before it or after, holds in place of " \
      "the recipe's") \
    X(TEXT, until, "NODE", NULL, 0, 0, RUN, TRAIN | NET | LR_FIND | CONVERT, \
      "of an ONNX model: this node, or the one that makes this value, gives the net's output; what comes after it is left out") \
    X(COUNT, classes, "N", "0", 0, 1e6, RUN, TRAIN | NET | LR_FIND | CONVERT, \
      "outputs of the last layer that has weights, which then begins anew; 0: as the net has it, and for train with an ONNX model " \
      "as many as the data has classes") \
    X(TEXT, freeze_until, "LAYER", NULL, 0, 0, RUN, TRAIN | LR_FIND, \
      "do not train the parameters of this layer and of those before it in the net's text, which then says frozen=yes") \
    X(SHAPE, input, "CxHxW", NULL, 0, 0, RUN, NET, "the images' shape (default: the net's own)") \
    X(TEXT, output_dir, "DIR", NULL, 0, 0, RUN, TRAIN, \
      "receives last.safetensors, best.safetensors, metrics.csv, model.net and run.json (default: nothing is written)") \
    X(COUNT, epochs, "N", "5", 0, 1e9, KEPT, TRAIN, \
      "passes over the training set; 0 writes the initial checkpoint and stops") \
    X(COUNT, batch_size, "N", "64", 1, 1e6, KEPT, TRAIN | LR_FIND | EVAL | PREDICT | VERIFY | PLAN | BENCH | TUNE | SCALE | REPORT | COMPARE, \
      "images of a step; where nothing is trained, images at a time") \
    X(COUNT, accumulate, "N", "1", 1, 1e6, KEPT, TRAIN | PLAN, \
      "batches whose gradients are added up before the parameters change: as a batch so many times as large") \
    X(COUNT, micro_batch_size, "N", "0", 0, 1e6, KEPT, TRAIN | PLAN, \
      "images computed at a time, their gradients being added up to a step's; 0: as many of the batch as the device has memory for") \
    X(COUNT, shards, "N", "0", 0, 1024, RARE, TRAIN | PLAN, \
      "parts of a batch whose gradients are summed apart, then added up in their order: the same bits on any number of devices and " \
      "processes up to it; batch normalisation takes each shard by itself; 0: one for each device or process") \
    X(FLAG, sync_batchnorm, NULL, "no", 0, 0, RARE, TRAIN | PLAN, \
      "batch normalisation takes all shards of a batch together, which wait for each other at each such layer; a device's shards then lie " \
      "in its memory side by side; of micro-batches, those of the same number") \
    X(POSITIVE, bucket_mb, "X", "1", 0, 4096, RUN, TRAIN | SCALE, \
      "of several devices or processes: megabytes of gradients, at most, that travel together while the rest is computed; those of the first " \
      "layers, beside which nothing more is computed, in ever smaller pieces") \
    X(CHOICE, wire, "f32|f16", "f32", 0, 0, RARE, TRAIN, \
      "how gradients travel between devices and processes: as they are, or as halves of which 32 share a power of two, in half the " \
      "time and less exact; the bits are again the same on any number of them, one included") \
    X(COUNT, local_steps, "N", "0", 0, 1e6, RARE, TRAIN, \
      "of several devices or processes: each trains by itself for so many steps, then all go on with the mean of what they have come to " \
      "(local SGD, for slow networks): other results than one alone has, and others for each number of them; 0: gradients are added up in every step") \
    X(POSITIVE, timeout, "SECONDS", "600", 0, 1e9, RUN, TRAIN | EVAL, \
      "of several processes: how long one is waited for that does not answer") \
    X(FLAG, allow_mixed, NULL, "no", 0, 0, RUN, TRAIN, \
      "devices and drivers of several processes may be different ones, whose bits may differ") \
    X(NAMED_REAL, lr, "X|PATTERN=X,...", "0.01", 0, 1e6, KEPT, TRAIN | EXAMPLE, \
      "learning rate; 0.1,conv*.weight=0.24,*.bias=0.05: that of all parameters, and of those of such names, the last that fits holds; schedules multiply all alike") \
    X(POSITIVE, lr_min, "X", "1e-07", 0, 1e6, RUN, LR_FIND, "learning rate of the first step") \
    X(POSITIVE, lr_max, "X", "10", 0, 1e6, RUN, LR_FIND, "learning rate of the last step") \
    X(COUNT, steps, "N", "100", 1, 1e6, RUN, LR_FIND | EXAMPLE, "training steps") \
    X(OPTIMIZER, optimizer, "NAME|PATTERN=NAME,...", "sgd", 0, 0, KEPT, UPDATE | PLAN, \
      "how parameters are updated; by name as lr, as in sgd,conv*.weight=muon") \
    X(REAL, momentum, "X", "0.9", 0, 1, KEPT, UPDATE, "of sgd and muon") \
    X(FLAG, nesterov, NULL, "no", 0, 0, KEPT, UPDATE, "Nesterov's form of momentum") \
    X(NAMED_REAL, weight_decay, "X|PATTERN=X,...", "0", 0, 1e6, KEPT, UPDATE, \
      "share of each parameter that is added to its gradient; adamw, muon: that it loses, times the learning rate; lamb: that is added to its step; by name as lr") \
    X(FLAG, no_decay_bias_norm, NULL, "no", 0, 0, KEPT, UPDATE, "no weight decay for biases and batch normalisation, but what weight-decay says by name") \
    X(REAL, beta1, "X", "0.9", 0, 0.999999999, KEPT, UPDATE, \
      "of adam, adamw and lamb: how much of the mean gradient a step keeps") \
    X(REAL, beta2, "X", "0.999", 0, 0.999999999, KEPT, UPDATE, \
      "of adam, adamw and lamb: how much of the gradient's mean square a step keeps") \
    X(REAL, alpha, "X", "0.99", 0, 1, KEPT, UPDATE, "of rmsprop: how much of the gradient's mean square a step keeps") \
    X(REAL, eps, "X", "0", 0, 1, KEPT, UPDATE, \
      "what is added to the root of the gradient's square, in all but sgd and muon; 0: 1e-8, for adagrad 1e-10, for lamb 1e-6") \
    X(COUNT, ns_steps, "N", "5", 1, 100, RARE, UPDATE, "of muon: Newton-Schulz iterations that make a direction orthogonal") \
    X(FLAG, normalize_filters, NULL, "no", 0, 0, RARE, UPDATE, \
      "of muon: before each step the norm of a convolution's filters, all together, becomes the root of their number") \
    X(REAL, clip_grad, "X", "0", 0, 1e30, KEPT, UPDATE | PLAN, "largest norm of the gradient, 0 for no limit") \
    X(REAL, clip_value, "X", "0", 0, 1e30, KEPT, UPDATE, \
      "largest absolute value in the gradient, 0 for no limit; after clip-grad") \
    X(REAL, label_smoothing, "X", "0", 0, 1, KEPT, UPDATE, "share of the target that goes to all classes") \
    X(REAL, ema, "X", "0", 0, 0.999999999, KEPT, TRAIN | PLAN, \
      "keep a moving average of the parameters, of which a step keeps this share; validation, eval and predict then use it; 0 for none") \
    X(SCHEDULER, lr_scheduler, "NAME", "const", 0, 0, KEPT, TRAIN, \
      "how the learning rate changes from epoch to epoch (onecycle: from step to step)") \
    X(FLAG, lr_per_step, NULL, "no", 0, 0, KEPT, TRAIN, "the scheduler counts steps in place of epochs, but for plateau") \
    X(MILESTONES, milestones, "N,N,...", NULL, 0, 0, KEPT, TRAIN, \
      "when the scheduler multistep drops the learning rate, in epochs from 0") \
    X(REAL, power, "X", "1", 0, 1e6, KEPT, TRAIN, "of the scheduler polynomial") \
    X(REAL, factor, "X", "0.1", 0, 1, KEPT, TRAIN, "what the scheduler plateau multiplies the learning rate by") \
    X(COUNT, patience_lr, "N", "10", 0, 1e9, KEPT, TRAIN, \
      "after more epochs than this without a better validation loss the scheduler plateau does so") \
    X(REAL, warmup_epochs, "X", "0", 0, 1e9, KEPT, TRAIN, "the learning rate rises from 0 during these") \
    X(REAL, gamma, "X", "0.1", 0, 1e6, KEPT, TRAIN, \
      "what the schedulers step, multistep and exponential multiply the learning rate by") \
    X(COUNT, step_size, "N", "1", 1, 1e9, KEPT, TRAIN, "epochs between the drops of the scheduler step") \
    X(CLASS_WEIGHTS, class_weights, "HOW", "equal", 0, 0, KEPT, TRAIN | LR_FIND, \
      "how much the loss of an image counts, by its class: equal; balanced: the more the rarer its class is; or a comma list, a number for each class") \
    X(AUGMENT, augment, "LIST", "none", 0, 0, KEPT, TRAIN | LR_FIND | PLAN | BENCH | DATA, \
      "changes to the training images, drawn anew in each step: rrc=LEAST:MOST (random resized crop, shares of the area), flip, flip=alternate (each image in every other epoch), crop=PIXELS, shift=SHARE, rotate=DEGREES, " \
      "scale=SHARE, border=reflect or border=replicate (what then comes in from outside the image, which is else black), brightness=SHARE, contrast=SHARE, saturation=SHARE, cutout=PIXELS, erase=SHARE, mixup=ALPHA, cutmix=ALPHA") \
    X(LOSS, loss, "NAME", NULL, 0, 0, MODEL, TRAIN | LR_FIND | VERIFY, \
      "what training makes small (default: the net's own, else cross_entropy)") \
    X(SEED, seed, "N", "0", 0, 0, KEPT, TRAIN | LR_FIND | VERIFY | DATA, \
      "of the initial parameters, the shuffling, augmentation and val-split; verify: of its random data too") \
    X(REAL, val_split, "F", "0", 0, 0.999999, KEPT, TRAIN, \
      "validate on this share of the training files, held out, in place of the test files; 0: on the test files") \
    X(COUNT, patience, "N", "0", 0, 1e9, KEPT, TRAIN, \
      "stop after so many epochs without a better validation loss, 0 for never") \
    X(TEXT, freeze, "PATTERN[@EPOCH],...", NULL, 0, 0, KEPT, TRAIN | LR_FIND | PLAN | VERIFY, \
      "do not train the parameters of such names, as in conv*,dense1.bias; conv1.weight@3: after its first 3 epochs; batch normalisation's running statistics still follow the batches") \
    X(TEXT, resume, "FILE", NULL, 0, 0, RUN, TRAIN, \
      "go on with a checkpoint; its options hold unless given anew, and the command line that began it may be given again") \
    X(TEXT, init, "RULE|PATTERN=RULE,...", "torch", 0, 0, FIXED, TRAIN | LR_FIND, \
      "initial weights of convolutions and dense layers, whose biases are then 0: torch (PyTorch's, biases too), kaiming_uniform, " \
      "kaiming_normal, kaiming_uniform_out, kaiming_normal_out, xavier_uniform, xavier_normal, truncated_normal " \
      "(deviation 0.02, within two of them), constant=V, dirac (convolutions: the first filters pass an input on each; all else as torch), whiten (a first convolution: its filters are made of the training images' patches so that their outputs do not correlate; all else as torch); PATTERN=RULE for the parameters of such names, as in " \
      "dense*.weight=xavier_normal, the last that fits holds") \
    X(TEXT, weights, "FILE", NULL, 0, 0, FIXED, TRAIN | LR_FIND | CONVERT, \
      "initial parameters from a safetensors file: those of the right name and shape, a moving average where it has one; " \
      "the others keep theirs, and a note says which") \
    X(FLAG, weights_by_order, NULL, "no", 0, 0, RUN, TRAIN | LR_FIND | CONVERT, \
      "take the tensors of --weights one after another, whatever their names, and list the pairs: layer by layer as the file has them " \
      "(where it sorts them by name, by name, numbers as numbers), all of them, each of its parameter's shape") \
    X(LONG, save_every, "STEPS", "0", 0, 1e15, KEPT, TRAIN, "steps between checkpoints within an epoch, 0 for none") \
    X(NORMALIZE, normalize, "HOW", "dataset", 0, 0, FIXED, TRAIN | LR_FIND, \
      "dataset: minus the training set's mean, over its standard deviation, for each channel; none: bytes/255; " \
      "MEAN/STD: these, each a number or a comma list; imagenet: those of torchvision's models. An ONNX model that cltrain exported " \
      "tells its own, which then hold where nothing is given") \
    X(FLAG, shuffle, NULL, "yes", 0, 0, KEPT, TRAIN, "take the images in the order of the files") \
    X(FLAG, drop_last, NULL, "no", 0, 0, RARE, TRAIN, \
      "leave out the last batch of an epoch where it is not full: the order of the images says which they are") \
    X(FLAG, overfit_batch, NULL, "no", 0, 0, KEPT, TRAIN, \
      "every step takes the first batch, without shuffling, augmentation and validation: a net that can learn will know it soon") \
    X(LONG, check_every, "N", "0", 0, 1e15, KEPT, TRAIN, \
      "steps between steps that are verified against the reference, 0 for none") \
    X(FLAG, trust, NULL, "no", 0, 0, RUN, TRAIN, \
      "begin at once on a device whose driver cltrain does not know: else the first step is verified, as check-every does, until it was " \
      "right once, which the cache folder remembers for each driver") \
    X(CHOICE, on_mismatch, "abort|reference|warn", "abort", 0, 0, KEPT, TRAIN, \
      "when the device is found to compute wrongly: abort, the last checkpoint stands; reference, which goes on from there; " \
      "warn, going on with the step's right values") \
    X(TEXT, log_steps, "FILE.csv", NULL, 0, 0, RUN, TRAIN, "each step's loss and learning rate, as CSV with the columns step,loss,lr") \
    X(TEXT, json_log, "FILE", NULL, 0, 0, RUN, TRAIN, \
      "a line of JSON for each epoch, and with log-steps for each step: what metrics.csv and log-steps tell, for programs") \
    X(TEXT, tensorboard, "DIR", NULL, 0, 0, RUN, TRAIN, \
      "receives event files for TensorBoard: figures of steps and epochs, histograms of the parameters and their gradients, validation images with " \
      "predictions, the confusion matrix, these options") \
    X(COUNT, topk, "K", NULL, 1, 1e9, RUN, EVAL | PREDICT, \
      "eval: tell, too, how many images have their class among the K most probable ones; predict: tell K classes, where one is usual") \
    X(FLAG, strict, NULL, "no", 0, 0, RUN, EVAL | PREDICT, \
      "refuse images of another size or of other colours than the model's, in place of converting them") \
    X(FLAG, invert, NULL, "no", 0, 0, RUN, EVAL | PREDICT, \
      "make dark what is light: for dark digits on white paper, where a model was trained on light ones") \
    X(CHOICE, tta, "none|flip|shift|flip+shift", "none", 0, 0, RUN, EVAL | PREDICT, \
      "flip: the outputs for each image are the mean of those for it and for its mirror image; shift: half of them are those for it, " \
      "a quarter each those for it moved by a pixel up and left, and down and right, its own pixels reflected at the border; " \
      "flip+shift: so, each with its mirror image") \
    X(CHOICE, format, "text|csv|json|npy|onnx|torch", "text", 0, 0, RUN, PREDICT | EXPORT, \
      "export: onnx, or torch, a Python module that has the net in PyTorch, with its weights as safetensors beside it; predict: text: file, class, probability with tabs between; csv: the same with a header line; json: an array of objects; " \
      "npy: NumPy's array [images, outputs] of all probabilities") \
    X(COUNT, opset, "N", "17", 13, 21, RUN, EXPORT | CONVERT, "the version of ONNX's operators that is written") \
    X(FLAG, with_preprocessing, NULL, "no", 0, 0, RUN, EXPORT, \
      "the ONNX model takes images of bytes, normalises them itself and, of a classifier, gives probabilities") \
    X(FLAG, fold_norm, NULL, "no", 0, 0, RUN, EXPORT, \
      "batch normalisation behind a convolution or a dense layer becomes part of its weights") \
    X(LONG, images, "N", "60000", 1, 1e15, RUN, PLAN, "images of the data set, a byte a value") \
    X(FLAG, inference, NULL, "no", 0, 0, RUN, PLAN, "what eval and predict take, not training") \
    X(POSITIVE, seconds, "S", "3", 0, 3600, RUN, BENCH, "how long training and inference are each measured") \
    X(TEXT, output, "FILE.html", "report.html", 0, 0, RUN, REPORT, "the page that is written; -o is short for it") \
    X(FLAG, check, NULL, "yes", 0, 0, RUN, REPORT | TRAIN, \
      "of a report: time no ops and verify none, which takes longer than all else in it") \
    X(TEXT, report, "FILE", NULL, 0, 0, RUN, VERIFY | TRAIN, \
      "train: at the end write the page about the run that cltrain report makes, FILE.html; verify: where an op is wrong, write a C program that shows it without cltrain, for the smallest net and images found that still do: for " \
      "who writes the driver") \
    X(FLAG, plan, NULL, "no", 0, 0, RUN, BENCH, "time nothing: list the launches of a training step") \
    X(CHOICE, pretend, "none|h100|rtx3060|rx6800|mi50|arc770", "none", 0, 0, RUN, PLAN | BENCH | SCALE, \
      "plan for this GPU in place of a device that is there; bench --plan then tells the time that a model gives its launches, and scale takes it") \
    X(MILESTONES, devices, "N,N,...", "1,8,64,512", 0, 0, RUN, SCALE, "how many devices train together") \
    X(POSITIVE, bandwidth, "GB/S", "1.25", 0, 1e6, RUN, SCALE, \
      "what the network moves each way for each of them, in units of 10^9 bytes a second: 1.25 is 10 Gbit/s") \
    X(REAL, latency, "US", "20", 0, 1e9, RUN, SCALE, "microseconds that each message takes beside its bytes") \
    X(FLAG, forget, NULL, "no", 0, 0, RUN, TUNE, "forget all that was tuned for the device, and no more") \
    X(CHOICE, sigmoid_derivative, "exact|notebook", "exact", 0, 0, RUN, EXAMPLE, \
      "exact: the sigmoid's derivative at z, and K is trained too; notebook: as the published notebook has it, the " \
      "derivative at the prediction, and K stays as it is") \
    X(CHOICE, precision, "f32|f64", "f32", 0, 0, MODEL, TRAIN | LR_FIND | VERIFY | PLAN | BENCH | TUNE | SCALE | EXAMPLE, \
      "what the device computes in") \
    X(CHOICE, storage, "f32|f16", "f32", 0, 0, RARE, TRAIN | LR_FIND | VERIFY | PLAN | BENCH | TUNE | EVAL | PREDICT, \
      "f16: the device keeps activations and their gradients as halves, in half the memory, computes with them in float and scales the " \
      "loss so that small gradients are not lost; weights and optimiser stay float") \
    X(TEXT, json, "FILE", NULL, 0, 0, RUN, DEVICES | EVAL | LR_FIND | VERIFY | SUMMARY | PLAN | BENCH | TUNE | SCALE | DATA | COMPARE, \
      "write the results as JSON to FILE; - for standard output, which then holds nothing else") \
    X(TEXT, sheet, "FILE.png", NULL, 0, 0, RUN, DATA, \
      "write a picture of the first images of each class, as a net would see them, augmented") \
    X(TEXT, device, "D", NULL, 0, 0, RUN, DEVICE, \
      "the device: 0:0, its place in the list, cpu, gpu, a part of its name or its platform's, or reference (default: the " \
      "environment's CLTRAIN_DEVICE, else what `cltrain devices` marks); local: of several processes on a host, one for each; train and " \
      "eval take several: a comma list, all, or 0:0/2, one cut into two") \
    X(CHOICE, schedule, "auto|vector|tile", "auto", 0, 0, RUN, DEVICE, \
      "how its heavy kernels share out their work: vectors, or tiles in local memory (auto: tile for a GPU and what has no " \
      "vectors of floats, else vector)") \
    X(LONG, limit_workgroup, "N", NULL, 1, 1e15, RUN, DEVICE, \
      "work-groups of at most N work-items (default: the device's own limit, as for the next two)") \
    X(LONG, limit_local, "BYTES", NULL, 1, 1e15, RUN, DEVICE, "at most so much local memory for a work-group") \
    X(LONG, limit_alloc, "BYTES", NULL, 1, 1e15, RUN, DEVICE, "buffers of at most so many bytes each") \
    X(FLAG, quiet, NULL, "no", 0, 0, RUN, TRAIN, "no progress on standard error")
/* clang-format on */

#endif
